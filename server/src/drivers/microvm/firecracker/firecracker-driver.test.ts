import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../../keeper/testing/lazy-driver.ts";
import { findCgroups } from "../../cgroups/find-cgroups.ts";
import { findMarked } from "../../cgroups/process-table.ts";
import { leftOut } from "../../conformance/left-out.ts";
import { driverConformance } from "../../conformance.ts";
import type { CaseGroup } from "../../conformance/stand.ts";
import { findRuntimes } from "../../runtimes.ts";
import { dockerSettings } from "../../testing/docker-settings.ts";
import { findProgram } from "../../find-program.ts";
import { linkGuests, testGuest, whyNoGuest } from "../../testing/test-guest.ts";
import { FirecrackerVmm } from "./firecracker-vmm.ts";
import { isWhole } from "../testing/microvm-stand.ts";
import { standInPrograms } from "../testing/firecracker-programs.ts";

const root = fileURLToPath(new URL("../../../../..", import.meta.url));
const script = fileURLToPath(new URL("../../../keeper/testing/doomed-server.ts", import.meta.url));
const runtimes = await findRuntimes({ root, python: null });
/** Emulated machines on a busy host. */
const SLOWNESS = 4;
const PROBE_MS_MAX = 60_000;
const nodeId = `test-${process.pid}-${randomBytes(4).toString("hex")}`;

/** What is in the guest is the same under QEMU, where all cases run. These depend on the program that runs the machine. */
const groups: readonly CaseGroup[] = ["life", "limit", "kill"];

/** Processes, groups and folders of the node's sandboxes; snapshots are taken in the background. */
async function leftovers(stateDir: string): Promise<string[]> {
  const isOurs = (text: string) => text.includes(`isola.${nodeId}.`) && !text.includes("{");
  const isSandbox = (text: string) => isOurs(text) && !text.includes(".microvm-template-");
  const marked = (await findCgroups().tree?.leftovers(isSandbox)) ?? [];
  const processes = await findMarked(isSandbox);
  const folders = readdirSync(stateDir, { recursive: true, encoding: "utf8" });
  return [
    ...marked.map(({ name }) => `cgroup ${name}`),
    ...processes.map(({ mark }) => `process ${mark}`),
    ...folders.filter(isSandbox).map((path) => `folder ${path}`),
  ];
}

/** By a server that is root with the jailer, else without. What the stand-in is, and is not, stands in its `main.ts`. */
function suite(
  title: string,
  program: { firecracker: string; without: "kvm"[]; all: boolean },
): void {
  const stateDir = mkdtempSync(join(tmpdir(), "isola-fcd-"));
  const keptDir = join(stateDir, "kept");
  linkGuests(keptDir);
  after(() => rmSync(stateDir, { recursive: true }));
  const { firecracker, without, all } = program;
  const { microvm, ...common } = dockerSettings;
  const settings = {
    ...{ nodeId, stateDir, acceptNoIsolation: false, without, ...common },
    microvm: { ...microvm, keptDir, firecracker, vmm: "firecracker" as const },
  };
  driverConformance(title, {
    makeDriver: (bootId) => lazyDriver("microvm", settings, bootId),
    startElsewhere: { script, args: (bootId) => [JSON.stringify(settings), bootId, "microvm"] },
    runtimes,
    hasOwnImage: true,
    slowness: SLOWNESS,
    leftovers: () => leftovers(stateDir),
    ...(all ? {} : { groups }),
    leavesOut: leftOut["microvm with Firecracker"],
  });
}

/** Firecracker, where it is installed and a guest boots with it. What it takes cannot be installed, so its absence is no skip: docs/limits.md tells of it. */
async function realFirecracker(): Promise<string | null> {
  const firecracker = findProgram("firecracker");
  if (firecracker === null) return null;
  const stateDir = mkdtempSync(join(tmpdir(), "isola-fcp-"));
  const vmm = new FirecrackerVmm({
    ...{ firecracker, jailer: null, stateDir, kvm: "/dev/kvm", trialMark: "isola.t.t.trial" },
    isRoot: process.geteuid?.() === 0,
  });
  const guest = await testGuest("python");
  const { isAvailable } = await vmm.probe(guest, AbortSignal.timeout(PROBE_MS_MAX));
  rmSync(stateDir, { recursive: true });
  return isAvailable ? firecracker : null;
}

const skip = whyNoGuest();
if (skip !== null) test("the microvm driver with Firecracker is tested", { skip });
else {
  if (isWhole) {
    const programs = standInPrograms();
    after(programs.remove);
    suite("microvm, Firecracker played", {
      ...{ firecracker: programs.firecracker, without: ["kvm"], all: false },
    });
  }
  const real = await realFirecracker();
  if (real !== null) suite("microvm, Firecracker", { firecracker: real, without: [], all: true });
}
