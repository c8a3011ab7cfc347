import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { lstat, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { type Pack, pack } from "tar-stream";
import { artifactPath } from "../artifacts/artifact-path.ts";
import { asDiskFailure } from "../artifacts/disk-failure.ts";
import { IsolaError } from "../errors.ts";
import { checkDatabase, copyDatabase, digestsIn, dropSpareLayers } from "./database-copy.ts";
import {
  ADMIN_KEY,
  artifactName,
  type BackupFile,
  DEPLOYMENTS,
  MANIFEST,
  type Manifest,
  newManifest,
  RECORDS,
} from "./manifest.ts";
import { readBackup } from "./read-backup.ts";

export interface BackupOptions {
  /** Data folder of a server that may run. */
  dataDir: string;
  /** The archive to make; its folder must exist. */
  file: string;
  /** Invocations, logs, metrics and events too. */
  withRecords: boolean;
  /** Version of this Isola. */
  version: string;
  nowMs: number;
  signal: AbortSignal;
}

export interface BackupReport {
  manifest: Manifest;
  archiveBytes: number;
}

/** An archive is for reading seldom and writing often: this takes a third of the time of the default, for a tenth more bytes. */
const GZIP_LEVEL = 3;
/** How often it begins anew because code of the copied revisions was removed meanwhile. */
const ATTEMPTS_MAX = 5;

/** A file of the archive and where its contents lie. */
interface Source extends BackupFile {
  path: string;
}

/**
 * Writes one archive (mode 0600) with what makes up a server: deployments, keys, code, and records. Safe while the server runs. The archive gets its name once it was read back and found whole;
 * until then everything is in a folder of its own beside it, which goes away however this ends. Rejects with `conflict` where the file exists, `not_ready` where the disk refuses.
 */
export async function createBackup(options: BackupOptions): Promise<BackupReport> {
  const { file, dataDir, signal } = options;
  const database = join(dataDir, DEPLOYMENTS);
  if (!existsSync(database))
    throw new IsolaError(
      "not_found",
      `${dataDir} is no data folder of Isola: expected ${DEPLOYMENTS} in it`,
    );
  await refuseExisting(file);
  const workDir = join(
    dirname(file),
    `.${basename(file)}.${randomBytes(6).toString("hex")}.partial`,
  );
  try {
    await mkdir(workDir, { mode: 0o700 });
    const sources = await snapshot(workDir, options);
    const files = sources.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 }));
    const manifest = newManifest({ isola: options.version, atMs: options.nowMs }, files);
    const partial = join(workDir, "archive");
    await writeArchive(partial, manifest, sources, signal);
    await readBackup(partial, nowhere, signal);
    const { size: archiveBytes } = await stat(partial);
    await refuseExisting(file);
    await rename(partial, file);
    await syncPath(dirname(file));
    return { manifest, archiveBytes };
  } catch (error) {
    throw asDiskFailure(error, `The backup ${file} could not be written`);
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

const nowhere = {
  async begin(): Promise<void> {},
  async file(_file: BackupFile, contents: AsyncIterable<Buffer>): Promise<void> {
    for await (const _part of contents);
  },
};

async function refuseExisting(file: string): Promise<void> {
  const found = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (found !== null)
    throw new IsolaError("conflict", `${file} exists: expected a name that is not taken`);
}

/** Copies of the databases first, then the code that they refer to: it never changes, and what was uploaded later is not referred to. */
async function snapshot(workDir: string, options: BackupOptions): Promise<Source[]> {
  const { dataDir, signal, withRecords } = options;
  const key = await readAdminKey(dataDir, workDir);
  let missing = "";
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const copy = join(workDir, `${attempt}-${DEPLOYMENTS}`);
    await copyDatabase(join(dataDir, DEPLOYMENTS), copy);
    signal.throwIfAborted();
    checkDatabase(copy, "deployments");
    dropSpareLayers(copy);
    const artifacts = await artifactSources(dataDir, digestsIn(copy));
    if (typeof artifacts === "string") {
      missing = artifacts;
      continue;
    }
    const databases = [await sourceOf(DEPLOYMENTS, copy)];
    if (withRecords) databases.push(await recordsSource(dataDir, workDir));
    signal.throwIfAborted();
    return [...databases, ...key, ...artifacts];
  }
  throw new IsolaError(
    "not_found",
    `the data folder ${dataDir} is not whole: code that a revision refers to is not in it (artifact ${missing})`,
  );
}

async function recordsSource(dataDir: string, workDir: string): Promise<Source> {
  const copy = join(workDir, RECORDS);
  await copyDatabase(join(dataDir, RECORDS), copy);
  checkDatabase(copy, "records");
  return await sourceOf(RECORDS, copy);
}

/** None where it is lost: the next start makes another. */
async function readAdminKey(dataDir: string, workDir: string): Promise<Source[]> {
  const text = await readFile(join(dataDir, ADMIN_KEY)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (text === null) return [];
  const copy = join(workDir, ADMIN_KEY);
  await writeFile(copy, text, { flag: "wx", mode: 0o600 });
  return [await sourceOf(ADMIN_KEY, copy)];
}

/** The digest of one that is not there, where that is so. */
async function artifactSources(
  dataDir: string,
  digests: ReadonlySet<string>,
): Promise<Source[] | string> {
  const sources: Source[] = [];
  for (const digest of [...digests].sort()) {
    const path = artifactPath(join(dataDir, "artifacts"), digest);
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    if (found === null) return digest;
    sources.push({ name: artifactName(digest), path, bytes: found.size, sha256: digest });
  }
  return sources;
}

async function sourceOf(name: string, path: string): Promise<Source> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const part of createReadStream(path)) {
    hash.update(part as Buffer);
    bytes += (part as Buffer).length;
  }
  return { name, path, bytes, sha256: hash.digest("hex") };
}

async function writeArchive(
  path: string,
  manifest: Manifest,
  sources: Source[],
  signal: AbortSignal,
): Promise<void> {
  const tar = pack();
  const gzip = createGzip({ level: GZIP_LEVEL });
  const piped = pipeline(tar, gzip, createWriteStream(path, { flags: "wx", mode: 0o600 }), {
    signal,
  });
  const filled = fill(tar, manifest, sources).catch((error: Error) => {
    tar.destroy(error);
    throw error;
  });
  const results = await Promise.allSettled([piped, filled]);
  signal.throwIfAborted();
  for (const result of results) if (result.status === "rejected") throw result.reason;
  await syncPath(path);
}

async function fill(tar: Pack, manifest: Manifest, sources: Source[]): Promise<void> {
  const mtime = new Date(manifest.createdAt);
  const attributes = { mode: 0o600, mtime };
  tar.entry({ name: MANIFEST, ...attributes }, `${JSON.stringify(manifest, null, 1)}\n`);
  for (const { name, path, bytes } of sources) {
    const entry = tar.entry({ name, size: bytes, ...attributes });
    // tar-stream checks that as many bytes came as were said.
    await pipeline(createReadStream(path), entry);
  }
  tar.finalize();
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
