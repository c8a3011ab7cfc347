import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { IsolaError, messageOf } from "../../../errors.ts";
import type { Cgroup, CgroupTree } from "../../cgroups/cgroup.ts";
import { type LaunchStreams, launch } from "../../children/launch.ts";
import { removeTree } from "../../children/private-folder.ts";
import { type SandboxGroup, cgroupGroup } from "../../children/sandbox-group.ts";
import type { SandboxLimits } from "../../driver.ts";
import { hostLimits } from "../host-limits.ts";
import { type BundleSpec, writeBundle } from "./bundle.ts";
import { type Platform, runscCommand } from "./runsc-command.ts";

/** Of gVisor's kernel: what the function has open is files of that kernel, not of the host's. */
const OPEN_FILES_MAX = 8192;

export interface StandaloneContext {
  runsc: string;
  platform: Platform;
  tree: CgroupTree;
  /** Where the folders of sandboxes are made. */
  foldersDir: string;
}

export interface StandaloneRequest {
  id: string;
  mark: string;
  limits: SandboxLimits;
  bundle: BundleSpec;
  openStreams(): Promise<LaunchStreams>;
}

/** A started sandbox in parts. */
export interface StartedStandalone {
  child: ChildProcess;
  group: SandboxGroup;
}

/**
 * Starts `runsc` and with it gVisor's kernel, all within the limits from the first moment on. The program stays, tells how the first process has ended, and takes its
 * sandbox with it when it ends itself. Rejects with `sandbox_start_failed`, and then nothing is left.
 */
export async function startStandalone(
  { runsc, platform, tree, foldersDir }: StandaloneContext,
  { id, mark, limits, bundle, openStreams }: StandaloneRequest,
): Promise<StartedStandalone> {
  const folder = join(foldersDir, mark);
  let cgroup: Cgroup | null = null;
  try {
    cgroup = tree.create(mark);
    cgroup.setLimits(hostLimits(limits, limits));
    await writeBundle(folder, bundle);
    const hasSockets = bundle.sockets.length > 0;
    const streams = await openStreams();
    const child = launch({
      ...{ streams, filter: null, hostUser: null, processesMax: null, isGroupLeader: false },
      command: runscCommand({ path: runsc, platform, folder, mark, hasSockets }),
      env: {},
      entries: cgroup.openEntries(),
      openFilesMax: OPEN_FILES_MAX,
      cwd: "/",
    });
    if (child.pid === undefined) throw (await once(child, "error"))[0];
    const group = cgroupGroup(cgroup, folder, (now) => hostLimits(now, limits));
    return { child, group };
  } catch (error) {
    // No process has come to be, so both are empty.
    cgroup?.remove();
    await removeTree(folder);
    const text = `${id} could not be started: ${messageOf(error)}`;
    throw new IsolaError("sandbox_start_failed", text, { cause: error });
  }
}
