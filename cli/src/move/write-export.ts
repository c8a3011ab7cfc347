import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { ExportManifest } from "@isola/api/export-manifest";
import { type Pack, pack } from "tar-stream";
import { Failure } from "../command.ts";

export const MANIFEST_NAME = "isola-export.json";

export function codeName(digest: string): string {
  return `code/${digest}.tar`;
}

/**
 * Writes an export to `path`, which appears whole or not at all. One code is in memory at a time; `readCode` gets the number of a revision that has it. Rejects where a code is not what the
 * manifest says.
 */
export async function writeExport(
  path: string,
  manifest: ExportManifest,
  readCode: (revision: number) => Promise<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const part = `${path}.part`;
  const tar = pack();
  // Values of env may be secrets.
  const file = createWriteStream(part, {
    flags: "wx",
    mode: manifest.hasEnvValues ? 0o600 : 0o644,
  });
  const gzip = createGzip();
  // Each tells its failure again once the pipeline has told it.
  tar.on("error", () => {});
  for (const stream of [gzip, file]) stream.on("error", () => {});
  const written = pipeline(tar as unknown as NodeJS.ReadableStream, gzip, file, { signal });
  written.catch(() => {}); // awaited below
  let isOurs = true;
  file.once("error", (error: NodeJS.ErrnoException) => {
    isOurs = error.code !== "EEXIST";
  });
  try {
    const add = (name: string, bytes: Buffer) => Promise.race([entry(tar, name, bytes), written]);
    await add(MANIFEST_NAME, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
    const seen = new Set<string>();
    for (const { codeDigest, codeBytes, revision } of manifest.revisions) {
      if (seen.has(codeDigest)) continue;
      seen.add(codeDigest);
      signal.throwIfAborted();
      const code = Buffer.from(await readCode(revision));
      const digest = createHash("sha256").update(code).digest("hex");
      if (digest !== codeDigest || code.length !== codeBytes)
        throw new Failure(
          `the code of revision ${revision} is not what the server says it is; was the function deleted and made again meanwhile? Export it again`,
        );
      await add(codeName(codeDigest), code);
    }
    tar.finalize();
    await written;
    await rename(part, path);
  } catch (error) {
    tar.destroy();
    await written.catch(() => {}); // the failure that led here is told
    if (isOurs) await rm(part, { force: true });
    throw error;
  }
}

/** Resolves when the tar has taken it. */
function entry(tar: Pack, name: string, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const header = { name, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 };
    tar.entry(header, bytes, (error) => (error ? reject(error) : resolve()));
  });
}
