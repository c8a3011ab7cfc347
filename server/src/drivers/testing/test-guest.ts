import { linkSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findSyscallFilter } from "../process/seccomp.ts";
import { findRuntimes } from "../runtimes.ts";
import { INSIDE, SHM_BYTES, TASK_BYTES } from "../sandbox-view.ts";
import { findProgram } from "../find-program.ts";
import { GuestImages, type GuestPaths } from "../../images/guest/guest-images.ts";
import type { GuestView } from "../../images/guest/initramfs.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** As the drivers would have it. */
export function testView(): GuestView {
  const { program } = findSyscallFilter();
  if (program === null) throw new Error("there is no filter of system calls for this machine");
  return { platform: INSIDE, taskBytes: TASK_BYTES, shmBytes: SHM_BYTES, filter: program };
}

/** Why tests with a real guest cannot run here, and what would change it; null: they can. */
export function whyNoGuest(): string | null {
  const { VM_GUEST_FOLDER: folder = "" } = process.env;
  if (folder === "")
    return "needs VM_GUEST_FOLDER, a folder for guests; npm test sets it on Debian";
  if (findProgram("qemu-system-x86_64") === null)
    return "needs QEMU: apt-get install -y qemu-system-x86";
  return null;
}

/** The guest in the folder of the tests. */
export async function testGuest(family: "nodejs" | "python"): Promise<GuestPaths> {
  const folder = process.env.VM_GUEST_FOLDER as string;
  const runtime = (await findRuntimes({ root, python: null })).find(
    (each) => each.family === family,
  );
  if (runtime === undefined) throw new Error(`there is no ${family} on this machine`);
  const images = new GuestImages({ folder, kernel: null, kernelSource: null, view: testView() });
  return await images.ensure(runtime);
}

/** The parts of the tests' guests under names in another folder, as snapshots of one VMM are swept by a driver that has another. */
export function linkGuests(to: string): void {
  const from = process.env.VM_GUEST_FOLDER as string;
  for (const part of readdirSync(from).filter((name) =>
    /^(kernel|initramfs|root|tools)-/.test(name),
  )) {
    mkdirSync(join(to, part), { recursive: true });
    for (const file of readdirSync(join(from, part)))
      linkSync(join(from, part, file), join(to, part, file));
  }
}
