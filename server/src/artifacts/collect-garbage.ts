import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

export interface GarbageReport {
  artifacts: number;
  temporary: number;
  bytes: number;
}

interface Collection {
  dir: string;
  /** Digests that stay whatever their age. */
  keep: ReadonlySet<string>;
  olderThanMs: number;
  /** Runs one removal while nothing is published. */
  inTurn: <T>(run: () => Promise<T>) => Promise<T>;
}

const ARTIFACT = /^([0-9a-f]{64})\.tar$/;

/** Looks at the age of each file again right before it removes it. Files with other names are not ours and stay. */
export async function collectGarbage(collection: Collection): Promise<GarbageReport> {
  const { dir, keep, inTurn } = collection;
  const report: GarbageReport = { artifacts: 0, temporary: 0, bytes: 0 };
  const before = Date.now() - collection.olderThanMs;
  for (const name of await readdir(join(dir, "tmp"))) {
    const bytes = await inTurn(() => removeOlder(join(dir, "tmp", name), before));
    if (bytes === null) continue;
    report.temporary += 1;
    report.bytes += bytes;
  }
  for (const folder of await readdir(dir)) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    for (const name of await readdir(join(dir, folder))) {
      const digest = ARTIFACT.exec(name)?.[1];
      if (digest === undefined || keep.has(digest)) continue;
      const bytes = await inTurn(() => removeOlder(join(dir, folder, name), before));
      if (bytes === null) continue;
      report.artifacts += 1;
      report.bytes += bytes;
    }
  }
  return report;
}

/** Answers the bytes that were freed, or null when the file stays or has gone. */
async function removeOlder(path: string, beforeMs: number): Promise<number | null> {
  try {
    const { mtimeMs, size } = await stat(path);
    if (mtimeMs > beforeMs) return null;
    await rm(path);
    return size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null; // a put has just finished with it
    throw error;
  }
}
