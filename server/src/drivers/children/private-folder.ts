import { chmod, mkdir, readdir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";

/** A folder for one sandbox without a file system of its own, with `task` and `tmp` inside; for this user only. */
export async function makePrivateFolder(parent: string, name: string): Promise<string> {
  const folder = join(parent, name);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await mkdir(folder, { mode: 0o700 });
  await mkdir(join(folder, "task"), { mode: 0o700 });
  await mkdir(join(folder, "tmp"), { mode: 0o700 });
  return folder;
}

/**
 * Removes a folder with folders inside that may not be written to, as those with code are. Links are removed, never followed. Nothing may run inside any more. The
 * keeper of an earlier life may be removing it too, at the same moment: what is gone is fine.
 */
export async function removeTree(folder: string): Promise<void> {
  await unlessGone(chmod(folder, 0o700));
  const entries = (await unlessGone(readdir(folder, { withFileTypes: true }))) ?? [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    await (entry.isDirectory() ? removeTree(path) : unlessGone(unlink(path)));
  }
  await unlessGone(rmdir(folder));
}

async function unlessGone<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
