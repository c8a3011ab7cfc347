import { constants } from "node:fs";
import { chmod, chown, copyFile, lstat, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { MiB } from "../../../domain/limits.ts";
import { messageOf } from "../../../errors.ts";
import type { MachineShape, MachineSnapshot } from "../vmm.ts";
import { failed } from "./api-client.ts";
import { names } from "./boot-calls.ts";
import { type Place, isAcross, provide } from "./place.ts";

const snapshotNames = [names.state, names.memory] as const;

/**
 * Takes what Firecracker has written out of its folder. What lies there is looked at before it is touched: the folder is the VMM's, and only a regular file with
 * this one name is one that it wrote.
 */
export async function takeSnapshot(
  place: Place,
  folder: string,
  shape: MachineShape,
): Promise<MachineSnapshot> {
  for (const name of snapshotNames) {
    const from = join(place.folder, name);
    const found = await lstat(from);
    if (!found.isFile() || found.nlink !== 1)
      throw failed(`Firecracker's snapshot is no file of its own: ${from}`);
    const to = join(folder, name);
    await move(from, to);
    // The server's, and for every machine's user to read: each restored one has another.
    await chown(to, process.geteuid?.() ?? found.uid, process.getegid?.() ?? found.gid);
    await chmod(to, 0o444);
  }
  await checkMemory(folder, shape);
  return { folder, files: snapshotNames };
}

/** Gives a machine that is to go on from a snapshot its files. Rejects with `sandbox_start_failed` where they cannot be those of such a machine. */
export async function provideSnapshot(
  place: Place,
  { folder }: MachineSnapshot,
  shape: MachineShape,
): Promise<void> {
  await checkMemory(folder, shape);
  for (const name of snapshotNames) await provide(place, name, join(folder, name));
}

/** Firecracker maps it whole: a shorter one ends the machine in the middle of its work. */
async function checkMemory(folder: string, { memoryMiB }: MachineShape): Promise<void> {
  const path = join(folder, names.memory);
  const found = await lstat(path).catch((error: unknown) => {
    throw failed(`the snapshot has no memory file: ${messageOf(error)}`, error);
  });
  const expected = memoryMiB * MiB;
  if (!found.isFile() || found.size !== expected)
    throw failed(`${path} has ${found.size} bytes, and a memory of ${memoryMiB} MiB ${expected}`);
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isAcross(error)) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await rm(from);
  }
}
