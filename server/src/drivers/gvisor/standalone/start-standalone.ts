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
  /** The streams are the caller's to close. */
  keepsStreams?: boolean;
  /** Folder of what it goes on from; left out: it boots. */
  saved?: string;
}

/** A started sandbox in parts. */
export interface StartedStandalone {
  mark: string;
  child: ChildProcess;
  group: SandboxGroup;
  cgroup: Cgroup;
  folder: string;
}

/**
 * Starts `runsc` and with it gVisor's kernel, all within the limits from the first moment on. The program stays, tells how the first process has ended, and takes its
 * sandbox with it when it ends itself. Rejects with `sandbox_start_failed`, and then nothing is left. Whether a restore succeeds is seen later: `untilRunning`.
 */
export async function startStandalone(
  { runsc, platform, tree, foldersDir }: StandaloneContext,
  { id, mark, limits, bundle, openStreams, keepsStreams = false, saved }: StandaloneRequest,
): Promise<StartedStandalone> {
  const folder = join(foldersDir, mark);
  let cgroup: Cgroup | null = null;
  try {
    cgroup = tree.create(mark);
    cgroup.setLimits(hostLimits(limits, limits));
    await writeBundle(folder, bundle);
    const hasSockets = bundle.sockets.length > 0;
    const deed =
      saved === undefined ? ({ name: "run" } as const) : ({ name: "restore", saved } as const);
    const streams = await openStreams();
    const child = launch({
      ...{ streams, keepsStreams, controlFd: 0 },
      ...{ filter: null, hostUser: null, processesMax: null, isGroupLeader: false },
      command: runscCommand({ path: runsc, platform, folder, mark, hasSockets, deed }),
      env: {},
      entries: cgroup.openEntries(),
      openFilesMax: OPEN_FILES_MAX,
      cwd: "/",
    });
    if (child.pid === undefined) throw (await once(child, "error"))[0];
    const group = cgroupGroup(cgroup, folder, (now) => hostLimits(now, limits));
    return { mark, child, group, cgroup, folder };
  } catch (error) {
    // No process has come to be, so both are empty.
    cgroup?.remove();
    await removeTree(folder);
    const text = `${id} could not be started: ${messageOf(error)}`;
    throw new IsolaError("sandbox_start_failed", text, { cause: error });
  }
}
