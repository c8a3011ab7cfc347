import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../../errors.ts";
import { Agent } from "../agent.ts";
import { within } from "../deadline.ts";
import type { GuestFiles, Machine, MachineSpec } from "../vmm.ts";
import type { QemuPlan } from "./command-line.ts";
import type { Qemu } from "./find-qemu.ts";

const DEVICE = "/dev/kvm";
/** An ordinary boot takes a second. */
const BOOT_MS_MAX = 8000;
const VERDICT_FILE = "kvm-trial.json";

export type KvmTrial = { works: true } | { works: false; problem: string };

export interface KvmTrialOptions {
  qemu: Qemu;
  guest: GuestFiles | null;
  keptDir: string;
  run(plan: QemuPlan, spec: MachineSpec, signal: AbortSignal): Promise<Machine>;
  signal: AbortSignal;
}

/** Boots the guest with KVM, once for each QEMU, guest and host kernel: that the device can be opened does not say that a guest runs. */
export async function tryKvm(options: KvmTrialOptions): Promise<KvmTrial> {
  const { qemu, guest, keptDir } = options;
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
  } catch (error) {
    return { works: false, problem: `${DEVICE} cannot be used: ${messageOf(error)}` };
  }
  if (guest === null) return { works: false, problem: "there is no guest to try it with" };
  const subject = createHash("sha256")
    .update([qemu.path, qemu.version, guest.digest, release()].join("\n"))
    .digest("hex");
  const file = join(keptDir, VERDICT_FILE);
  const known = readVerdict(file, subject);
  if (known !== null) return known;
  mkdirSync(keptDir, { recursive: true, mode: 0o755 });
  const trial = await boot(options, guest);
  // Not kept: it is asked for again at the next start.
  if (!options.signal.aborted) writeFileSync(file, JSON.stringify({ subject, trial }));
  return trial;
}

function readVerdict(file: string, subject: string): KvmTrial | null {
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as { subject: string; trial: KvmTrial };
    return kept.subject === subject ? kept.trial : null;
  } catch {
    return null; // none yet, or not ours
  }
}

async function boot(
  { qemu, keptDir, run, signal }: KvmTrialOptions,
  guest: GuestFiles,
): Promise<KvmTrial> {
  const folder = mkdtempSync(join(keptDir, "trial-"));
  let machine: Machine | null = null;
  try {
    const spec: MachineSpec = {
      ...{ id: "kvm-trial", guest, folder, mark: "isola-kvm-trial", hostUser: null, ends: null },
      ...{ shape: { memoryMiB: 512, vcpus: 1 }, entries: [] },
    };
    machine = await run({ qemu, accelerator: "kvm", timeStampKhz: null }, spec, signal);
    const agent = new Agent(machine.agent, {});
    const ended = machine.exited.then(({ text }) => {
      throw new Error(`QEMU has ended: ${text}`);
    });
    await within(BOOT_MS_MAX, "the boot of a guest with KVM", Promise.race([agent.up, ended]));
    return { works: true };
  } catch (error) {
    const said = machine?.console().trim().split("\n").at(-1) ?? "";
    return { works: false, problem: `${messageOf(error)}${said === "" ? "" : `; ${said}`}` };
  } finally {
    machine?.kill();
    await machine?.exited;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether users other than the server's can use the device, by its group. */
export function kvmAccess(): { isByGroup: boolean; gid: number } {
  const stat = statSync(DEVICE);
  return { isByGroup: (stat.mode & 0o060) === 0o060, gid: stat.gid };
}
