import { CONTROL_FD, stateDirOf } from "./bundle.ts";

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
}

/**
 * Every flag that has to do with what a sandbox may reach is given, whatever the default of a version is. Control groups are ours, so that the program makes none; no
 * file of the host is open but the image, so that nothing is to be gained by `directfs`, which gives gVisor's kernel more rights.
 */
export function runscCommand({ path, platform, folder, mark, hasSockets }: RunscCall): string[] {
  return [
    path,
    ...["--root", stateDirOf(folder), `--platform=${platform}`],
    ...["--network=none", "--oci-seccomp=true", "--ignore-cgroups=true", "--overlay2=none"],
    ...[`--host-uds=${hasSockets ? "open" : "none"}`, "--host-fifo=none", "--directfs=false"],
    ...["--file-access=exclusive", "--net-raw=false", "--debug=false", "--strace=false"],
    ...["run", "--bundle", folder, `--pass-fd=${CONTROL_FD}:${CONTROL_FD}`, mark],
  ];
}
