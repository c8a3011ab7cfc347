import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { type Schema, explain, fits, isObject } from "@isola/api/explain";
import {
  EXPORT_FORMAT,
  EXPORT_VERSION,
  ExportManifest,
  exportLimits,
} from "@isola/api/export-manifest";
import { Failure } from "../command.ts";
import { type TarEntry, tarEntries } from "./tar-entries.ts";
import { MANIFEST_NAME, codeName } from "./write-export.ts";

export interface ReadExport {
  manifest: ExportManifest;
  /** Where the tar of a code lies. */
  codePath(digest: string): string;
}

/**
 * Checks all of an export before anything is made of it, and unpacks its codes into `dir` under their digests: no name in the archive becomes a path. Rejects with what is wrong with it.
 */
export async function readExport(
  path: string,
  dir: string,
  signal: AbortSignal,
): Promise<ReadExport> {
  const source = createReadStream(path, { signal });
  const unpacked = createGunzip();
  source.once("error", (error) => unpacked.destroy(error));
  source.pipe(unpacked);
  try {
    return await readEntries(unpacked, dir);
  } catch (error) {
    if (signal.aborted) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const isOurs = error instanceof Failure || code?.startsWith("Z_");
    throw isOurs ? new Failure(`${path} is not taken: ${message}`) : error;
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}

async function readEntries(unpacked: AsyncIterable<Buffer>, dir: string): Promise<ReadExport> {
  const codePath = (digest: string) => join(dir, `${digest}.tar`);
  let manifest: ExportManifest | null = null;
  const missing = new Map<string, { digest: string; bytes: number }>();
  for await (const entry of tarEntries(unpacked)) {
    if (manifest === null) {
      manifest = await readManifest(entry);
      for (const { codeDigest: digest, codeBytes: bytes } of manifest.revisions)
        missing.set(codeName(digest), { digest, bytes });
      continue;
    }
    const wanted = missing.get(entry.name);
    const name = JSON.stringify(entry.name);
    if (wanted === undefined)
      throw new Failure(`its entry ${name} is none of the codes that its revisions have`);
    if (entry.size !== wanted.bytes)
      throw new Failure(
        `its entry ${name} should have ${wanted.bytes} bytes, and has ${entry.size}`,
      );
    const digest = await unpack(entry, codePath(wanted.digest));
    if (digest !== wanted.digest)
      throw new Failure(`its entry ${name} is damaged: its SHA-256 is ${digest}`);
    missing.delete(entry.name);
  }
  if (manifest === null) throw new Failure(`expected ${MANIFEST_NAME} first, given nothing`);
  const [first] = missing.keys();
  if (first !== undefined) throw new Failure(`it lacks ${first}, which a revision of it has`);
  return { manifest, codePath };
}

async function readManifest(entry: TarEntry): Promise<ExportManifest> {
  if (entry.name !== MANIFEST_NAME)
    throw new Failure(`expected ${MANIFEST_NAME} first, given ${JSON.stringify(entry.name)}`);
  if (entry.size > exportLimits.manifestBytesMax)
    throw new Failure(`${MANIFEST_NAME} has more than ${exportLimits.manifestBytesMax} bytes`);
  const chunks: Buffer[] = [];
  for await (const chunk of entry.contents()) chunks.push(chunk);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (error) {
    throw new Failure(`${MANIFEST_NAME} is no JSON: ${(error as Error).message}`);
  }
  return checked(value);
}

function checked(value: unknown): ExportManifest {
  if (!isObject(value) || value.format !== EXPORT_FORMAT)
    throw new Failure(`it is no export of a function: ${MANIFEST_NAME} has no format`);
  if (value.version !== EXPORT_VERSION)
    throw new Failure(
      `expected version ${EXPORT_VERSION} of the format, given ${JSON.stringify(value.version)}; a newer isola may take it`,
    );
  if (!fits(ExportManifest as Schema, value)) {
    const details = explain(ExportManifest as Schema, value).slice(0, 10);
    const lines = details.map((one) => {
      const given = one.path.includes(".env") ? "something else" : one.given;
      return `${one.path}: expected ${one.expected}, given ${given}`;
    });
    throw new Failure([`${MANIFEST_NAME} is not as it should be`, ...lines].join("\n  "));
  }
  const manifest = value as ExportManifest;
  const numbers = manifest.revisions.map(({ revision }) => revision);
  if (numbers.some((number, at) => at > 0 && number <= (numbers[at - 1] as number)))
    throw new Failure("revisions: expected each number above the one before");
  if (!numbers.includes(manifest.live))
    throw new Failure(`live: expected one of its revisions, given ${manifest.live}`);
  const sizes = new Map(manifest.revisions.map((one) => [one.codeDigest, one.codeBytes]));
  if (manifest.revisions.some((one) => sizes.get(one.codeDigest) !== one.codeBytes))
    throw new Failure("revisions: one code has two sizes");
  if ([...sizes.values()].reduce((sum, bytes) => sum + bytes, 0) > exportLimits.bytesMax)
    throw new Failure(`its codes have more than ${exportLimits.bytesMax} bytes`);
  return manifest;
}

async function unpack(entry: TarEntry, path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(path, "wx", 0o600);
  try {
    for await (const chunk of entry.contents()) {
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}
