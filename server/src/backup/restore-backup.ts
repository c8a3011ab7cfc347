import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { open, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { artifactPath } from "../artifacts/artifact-path.ts";
import { asDiskFailure } from "../artifacts/disk-failure.ts";
import { IsolaError } from "../errors.ts";
import { RESTORING_DIR } from "../supervisor/data-folder.ts";
import { lockDataDir, unusable } from "../supervisor/lock.ts";
import { checkDatabase, digestsIn } from "./database-copy.ts";
import {
  ADMIN_KEY,
  type BackupFile,
  DEPLOYMENTS,
  digestOf,
  invalidBackup,
  type Manifest,
  RECORDS,
} from "./manifest.ts";
import { readBackup } from "./read-backup.ts";

export interface RestoreOptions {
  file: string;
  /** Must be empty, or not be there. */
  dataDir: string;
  signal: AbortSignal;
}

const RUN = "run";
const ARTIFACTS = "artifacts";
/** In the order in which they get their places: the one that makes it a data folder last. */
const places = [ARTIFACTS, RECORDS, ADMIN_KEY, DEPLOYMENTS];
/** What a folder that nobody has used may hold: the mount point of a file system has the first. */
const noContents = new Set(["lost+found"]);

/**
 * Makes a data folder of an archive. Everything is read, checked and on the disk before the first file gets its place; a server does not start in the folder before the last one has it. Rejects
 * with `invalid_backup`, `conflict` where the folder is not empty, `data_locked`, `not_ready` where the disk refuses; then the folder is as it was.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Manifest> {
  const { dataDir, file, signal } = options;
  if (!existsSync(file)) throw new IsolaError("not_found", `there is no backup ${file}`);
  const isNew = !existsSync(dataDir);
  refuseContents(dataDir, isNew, noContents);
  const lock = lockEmpty(dataDir);
  const staging = join(dataDir, RESTORING_DIR);
  try {
    // A server may have begun and ended since it was looked at.
    refuseContents(dataDir, false, new Set([...noContents, RUN]));
    mkdirSync(staging, { mode: 0o700 });
    const manifest = await readBackup(file, stagingSink(staging), signal);
    checkWhole(staging, manifest);
    signal.throwIfAborted();
    settle(dataDir, staging);
    return manifest;
  } catch (error) {
    for (const name of [...places, RESTORING_DIR])
      if (!isConflict(error)) rmSync(join(dataDir, name), { recursive: true, force: true });
    throw asDiskFailure(error, `The backup could not be restored to ${dataDir}`);
  } finally {
    lock.release();
    if (!existsSync(join(dataDir, DEPLOYMENTS)) && readdirSync(dataDir).every(isOurs)) {
      rmSync(join(dataDir, RUN), { recursive: true, force: true });
      if (isNew) rmSync(dataDir, { recursive: true, force: true });
    }
  }
}

function isOurs(name: string): boolean {
  return name === RUN || noContents.has(name);
}

function isConflict(error: unknown): boolean {
  return error instanceof IsolaError && error.code === "conflict";
}

function refuseContents(dataDir: string, isNew: boolean, allowed: ReadonlySet<string>): void {
  if (isNew) return;
  const found = contentsOf(dataDir).filter((name) => !allowed.has(name));
  if (found.length === 0) return;
  const shown = found.slice(0, 3).join(", ");
  throw new IsolaError(
    "conflict",
    `${dataDir} is not empty (${shown}): expected an empty folder, or one that is not there`,
  );
}

function contentsOf(dataDir: string): string[] {
  try {
    return readdirSync(dataDir);
  } catch (cause) {
    throw unusable(dataDir, cause);
  }
}

function lockEmpty(dataDir: string): ReturnType<typeof lockDataDir> {
  const runDir = join(dataDir, RUN);
  try {
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
    chmodSync(runDir, 0o700);
  } catch (cause) {
    throw unusable(dataDir, cause);
  }
  return lockDataDir(dataDir, runDir);
}

function stagingSink(staging: string) {
  return {
    async begin({ files }: Manifest): Promise<void> {
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      const { bavail, bsize } = await statfs(staging);
      if (bytes <= bavail * bsize) return;
      const MiB = 1_048_576;
      throw new IsolaError(
        "not_ready",
        `the backup holds ${Math.ceil(bytes / MiB)} MiB, and the disk has room for ${Math.floor((bavail * bsize) / MiB)} MiB`,
      );
    },
    async file({ name }: BackupFile, contents: AsyncIterable<Buffer>): Promise<void> {
      const digest = digestOf(name);
      const path =
        digest === null ? join(staging, name) : artifactPath(join(staging, ARTIFACTS), digest);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const file = await open(path, "wx", 0o600);
      try {
        for await (const part of contents) await file.writeFile(part);
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}

function checkWhole(staging: string, { files }: Manifest): void {
  const deployments = join(staging, DEPLOYMENTS);
  checkDatabase(deployments, "deployments");
  if (files.some(({ name }) => name === RECORDS)) checkDatabase(join(staging, RECORDS), "records");
  const held = new Set(files.map(({ name }) => digestOf(name)));
  for (const digest of digestsIn(deployments))
    if (!held.has(digest))
      throw invalidBackup(`it lacks code that a revision refers to (artifact ${digest})`);
}

function settle(dataDir: string, staging: string): void {
  const artifacts = join(staging, ARTIFACTS);
  const folders = existsSync(artifacts)
    ? [artifacts, ...readdirSync(artifacts).map((name) => join(artifacts, name))]
    : [];
  for (const folder of [...folders, staging]) syncFolder(folder);
  for (const name of places)
    if (existsSync(join(staging, name))) renameSync(join(staging, name), join(dataDir, name));
  syncFolder(dataDir);
  rmSync(staging, { recursive: true });
  syncFolder(dataDir);
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
