import { closeSync, constants, openSync } from "node:fs";
import { chmod, copyFile, link, mkdir, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { messageOf } from "../../../errors.ts";
import { failed } from "./api-client.ts";

/** Where a machine's files are, seen from the host. Its VMM sees the folder as its working folder: with the jailer, as the root of all there is. */
export interface Place {
  folder: string;
  /** Whether the VMM sees nothing else. */
  isJail: boolean;
  /** The folder, open until `closePlace`. */
  descriptor: number;
}

/** The machine's own folder, for a VMM that sees the host's files. */
export function openPlace(folder: string): Place {
  return { folder, isJail: false, descriptor: openFolder(folder) };
}

/** The jailer's folder for this machine, made before it runs, so that the files are there when the VMM starts: `<base>/<name of the program>/<id>/root`. */
export async function jailPlace(base: string, executable: string, id: string): Promise<Place> {
  const folder = join(base, basename(executable), id, "root");
  await mkdir(folder, { recursive: true, mode: 0o755 });
  return { folder, isJail: true, descriptor: openFolder(folder) };
}

/** After all sockets in it were closed. */
export function closePlace({ descriptor }: Place): void {
  closeSync(descriptor);
}

/** The path of a socket in the folder, by which this process finds it until `closePlace`. The folder's own may be longer than the 107 bytes that a socket's has. */
export function socketPath({ descriptor }: Place, name: string): string {
  return `/proc/self/fd/${descriptor}/${name}`;
}

function openFolder(folder: string): number {
  return openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
}

/**
 * Gives the VMM a file to read under a name of its own. In a jail by a hard link, or as a copy where the file is on another file system: the file keeps its owner, so the VMM's user
 * cannot write to it. Rejects with `sandbox_start_failed`.
 */
export async function provide(
  { folder, isJail }: Place,
  name: string,
  file: string,
): Promise<void> {
  const target = join(folder, name);
  try {
    if (!isJail) return await symlink(file, target);
    await link(file, target);
  } catch (error) {
    if (isAcross(error)) return await copy(file, target);
    throw failed(`${file} cannot be given to a machine: ${messageOf(error)}`, error);
  }
}

async function copy(file: string, target: string): Promise<void> {
  try {
    await copyFile(file, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await chmod(target, 0o444);
  } catch (error) {
    throw failed(`${file} cannot be given to a machine: ${messageOf(error)}`, error);
  }
}

/** The two are on different file systems. */
export function isAcross(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EXDEV";
}
