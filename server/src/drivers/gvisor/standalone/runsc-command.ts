import { join } from "node:path";
import { stateDirOf } from "./bundle.ts";

/** How gVisor's kernel comes to the code's system calls. */
export type Platform = "systrap" | "kvm" | "ptrace";

export interface RunscCall {
  /** Program, and how it comes to system calls. */
  path: string;
  platform: Platform;
  /** The folder of the sandbox. */
  folder: string;
  /** The sandbox's mark, by which its processes are known. */
  mark: string;
  /** Whether sockets of the host are mounted into it. */
  hasSockets: boolean;
  deed: RunscDeed;
}

/** `run`: starts it. `checkpoint`: saves it into the folder `saved`, and ends it. `restore`: starts one that goes on from what is in `saved`. */
export type RunscDeed = { name: "run" } | { name: "checkpoint" | "restore"; saved: string };

/**
 * Every flag that has to do with what a sandbox may reach is given, whatever the default of a version is. Control groups are ours, so that the program makes none; no
 * file of the host is open but the image, so that nothing is to be gained by `directfs`, which gives gVisor's kernel more rights.
 */
const flags = [
  ...["--network=none", "--oci-seccomp=true", "--ignore-cgroups=true", "--overlay2=none"],
  ...["--host-fifo=none", "--directfs=false"],
  ...["--file-access=exclusive", "--net-raw=false", "--debug=false", "--strace=false"],
];

/** All that a snapshot depends on, beside the program. */
export function snapshotFlags(platform: Platform): string {
  return [`--platform=${platform}`, ...flags, SAVING].join(" ");
}

/** Reading what is smaller would take longer. */
const SAVING = "--compression=none";

export function runscCommand(call: RunscCall): string[] {
  const { path, platform, folder, mark, hasSockets, deed } = call;
  return [
    ...[path, "--root", stateDirOf(folder), `--platform=${platform}`, ...flags],
    ...[`--host-uds=${hasSockets ? "open" : "none"}`],
    // Else it would write to what the sandbox's own words are read from.
    ...(deed.name === "run" ? [] : [`--log=${logOf(folder)}`]),
    ...[deed.name, ...argumentsOf(deed, folder), mark],
  ];
}

/** Where a checkpoint or a restore says what went wrong. */
export function logOf(folder: string): string {
  return join(folder, "runsc.log");
}

function argumentsOf(deed: RunscDeed, folder: string): string[] {
  if (deed.name === "run") return ["--bundle", folder];
  const saved = `--image-path=${deed.saved}`;
  if (deed.name === "checkpoint") return [SAVING, saved];
  return ["--bundle", folder, saved];
}
