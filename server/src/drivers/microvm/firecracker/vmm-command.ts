import { MiB } from "../../../domain/limits.ts";
import type { MachineSpec } from "../vmm.ts";
import { names } from "./boot-calls.ts";
import type { FirecrackerPrograms } from "./find-firecracker.ts";

const OPEN_FILES_MAX = 1024;
/** Beside a snapshot's memory. */
const FILE_BYTES_MORE = 64 * MiB;
const ID_CHARS_MAX = 64;

/** Firecracker's ids are made of letters, digits and `-`. */
export function vmmId(sandboxId: string): string {
  return sandboxId.replaceAll(/[^A-Za-z0-9]/g, "-").slice(0, ID_CHARS_MAX);
}

/**
 * What becomes the VMM. Its working folder is to be the machine's, or is made its root by the jailer.
 *
 * The jailer is told of no control group: the process has entered its own before, and a jailer that is told of none leaves it there. No network namespace either: a machine
 * has no network device, and Firecracker's filter allows no other socket than those of its files.
 */
export function vmmCommand(
  { executable, jailer }: FirecrackerPrograms,
  { id, mark, hostUser, shape }: MachineSpec,
  base: string,
): string[] {
  // The module filter lets through what begins with the mark, which is nothing: no log. It carries the mark to the lists of processes, as ids cannot.
  const args = ["--api-sock", names.api, "--level", "Error", "--module", mark];
  if (jailer === null) return [executable, "--id", vmmId(id), ...args];
  const user = String(hostUser ?? process.geteuid?.());
  const limits = [`fsize=${shape.memoryMiB * MiB + FILE_BYTES_MORE}`, `no-file=${OPEN_FILES_MAX}`];
  return [
    ...[jailer, "--id", vmmId(id), "--exec-file", executable, "--chroot-base-dir", base],
    ...["--uid", user, "--gid", user],
    ...limits.flatMap((limit) => ["--resource-limit", limit]),
    ...["--", ...args],
  ];
}
