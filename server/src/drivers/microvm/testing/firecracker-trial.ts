import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { FirecrackerPaths } from "../firecracker/find-firecracker.ts";
import { FirecrackerVmm } from "../firecracker/firecracker-vmm.ts";
import type { GuestFiles, MachineSpec, VmmProbe } from "../vmm.ts";
import { standInPrograms } from "./firecracker-programs.ts";
import type { StandInConfig } from "./firecracker-stand-in/config.ts";

/** A VMM over the stand-ins, with a folder for its machines. At the end of the test no process of it may be left. */
export interface Trial {
  vmm: FirecrackerVmm;
  programs: FirecrackerPaths;
  folder: string;
  guest: GuestFiles;
  spec(more?: Partial<MachineSpec>): MachineSpec;
}

export interface TrialOptions extends Partial<StandInConfig> {
  isJailed?: boolean;
  /** null: files that are none of a guest's, with which a machine starts and nothing comes of it. */
  guest?: GuestFiles | null;
}

export const never = new AbortController().signal;

export async function openTrial(t: TestContext, options: TrialOptions = {}): Promise<Trial> {
  const { isJailed = false, guest: given = null, ...config } = options;
  const programs = standInPrograms(config);
  const folder = mkdtempSync(join(tmpdir(), "isola-fct-"));
  const paths: FirecrackerPaths = { firecracker: programs.firecracker, jailer: programs.jailer };
  const vmm = new FirecrackerVmm({
    ...paths,
    stateDir: folder,
    kvm: null,
    trialMark: "isola.t.t.trial",
    isRoot: isJailed,
  });
  const guest = given ?? junkGuest(folder);
  let machines = 0;
  t.after(() => {
    assert.deepEqual(processesIn(folder), []);
    programs.remove();
    rmSync(folder, { recursive: true });
  });
  return {
    ...{ vmm, programs: paths, folder, guest },
    spec(more = {}) {
      machines += 1;
      const id = `sb-t-${machines}`;
      const own = join(folder, id);
      mkdirSync(own, { mode: 0o700 });
      return {
        ...{ id, guest, folder: own, mark: `isola.t.t.${id}`, ends: null, entries: [] },
        ...{ shape: { memoryMiB: 256, vcpus: 1 }, hostUser: null },
        ...more,
      };
    },
  };
}

/** Has the head of a bzImage. */
function junkGuest(folder: string): GuestFiles {
  const kernel = Buffer.alloc(65_536);
  kernel.writeUInt8(1, 0x1f1);
  kernel.write("HdrS", 0x202);
  kernel.writeUInt16LE(0x20f, 0x206);
  const file = (name: string, bytes: Buffer) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  return {
    kernel: file("a-kernel", kernel),
    initramfs: file("an-initramfs", Buffer.alloc(4096)),
    root: file("a-root", Buffer.alloc(65_536)),
    tools: null,
    sealer: "/bin/false",
    digest: "0".repeat(64),
  };
}

/** Processes whose working folder is in it, or whose command line names it. */
export function processesIn(folder: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
      if (words.includes(folder)) found.push(words);
    } catch {
      // it has ended meanwhile
    }
  }
  return found;
}

export function unavailable(probe: VmmProbe): { problem: string; fix: string } {
  assert.equal(probe.isAvailable, false);
  return { problem: probe.problems.join("\n"), fix: probe.fixes.join("\n") };
}
