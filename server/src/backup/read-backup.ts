import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract, type Extract } from "tar-stream";
import { asDiskFailure } from "../artifacts/disk-failure.ts";
import { IsolaError } from "../errors.ts";
import {
  type BackupFile,
  invalidBackup,
  MANIFEST,
  MANIFEST_BYTES_MAX,
  type Manifest,
  parseManifest,
} from "./manifest.ts";

type Entry = Extract extends AsyncIterable<infer E> ? E : never;

/** Where the contents of an archive go. What it rejects with, the reading rejects with. */
export interface BackupSink {
  /** Called once, before any file. */
  begin(manifest: Manifest): Promise<void>;
  /** Has to read `contents` to its end. That they are what the manifest says is known when `readBackup` resolves, not before. */
  file(file: BackupFile, contents: AsyncIterable<Buffer>): Promise<void>;
}

/** Reads an archive to its end and checks every byte of it. Rejects with `invalid_backup` where anything is missing, too much or different. */
export async function readBackup(
  path: string,
  sink: BackupSink,
  signal: AbortSignal,
): Promise<Manifest> {
  const entries = extract();
  const piped = pipeline(createReadStream(path), createGunzip(), entries, { signal });
  const [walked, ended] = await Promise.allSettled([walk(entries, sink), piped]);
  signal.throwIfAborted();
  if (walked.status === "rejected") throw asInvalid(walked.reason);
  if (ended.status === "rejected") throw asInvalid(ended.reason);
  return walked.value;
}

async function walk(entries: AsyncIterable<Entry>, sink: BackupSink): Promise<Manifest> {
  let manifest: Manifest | null = null;
  let at = 0;
  for await (const entry of entries) {
    if (manifest === null) {
      manifest = await readManifest(entry);
      await sink.begin(manifest);
      continue;
    }
    const file = manifest.files[at++];
    const { name, size, type } = entry.header;
    if (file === undefined || name !== file.name || type !== "file" || size !== file.bytes)
      throw invalidBackup(
        `${JSON.stringify(name.slice(0, 100))} comes where ${file?.name ?? "its end"} is expected`,
      );
    await sink.file(file, checked(entry as AsyncIterable<Buffer>, file));
  }
  if (manifest === null) throw invalidBackup("it is empty");
  const missing = manifest.files[at];
  if (missing !== undefined) throw invalidBackup(`it ends before ${missing.name}`);
  return manifest;
}

async function readManifest(entry: Entry): Promise<Manifest> {
  const { name, size } = entry.header;
  if (name !== MANIFEST || size > MANIFEST_BYTES_MAX)
    throw invalidBackup(`it does not begin with a ${MANIFEST}`);
  const parts: Buffer[] = [];
  for await (const part of entry as AsyncIterable<Buffer>) parts.push(part);
  return parseManifest(Buffer.concat(parts).toString("utf8"));
}

async function* checked(contents: AsyncIterable<Buffer>, file: BackupFile): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  for await (const part of contents) {
    hash.update(part);
    yield part;
  }
  if (hash.digest("hex") !== file.sha256)
    throw invalidBackup(`${file.name} was changed: its digest is another than the manifest says`);
}

function asInvalid(error: unknown): unknown {
  if (error instanceof IsolaError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  // Of zlib and tar-stream; what the disk says is told apart.
  const failure = asDiskFailure(error, "The backup could not be read");
  if (failure !== error) return failure;
  if (code.startsWith("E") && !code.startsWith("ERR_")) return error;
  return invalidBackup(`it is damaged or no backup (${message})`, error);
}
