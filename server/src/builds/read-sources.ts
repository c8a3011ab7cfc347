import { Readable } from "node:stream";
import { extract } from "tar-stream";

/** What a build looks at before it runs: every path of a package, and the text of the files that say what it needs. */
export interface PackageSources {
  paths: readonly string[];
  /** Of the manifests at the root of the package, and what requirements include; null: there is no such file, or it is too large. */
  text(name: string): string | null;
}

export const manifestNames = [
  "package.json",
  "package-lock.json",
  "npm-shrinkwrap.json",
  ".npmrc",
  "requirements.txt",
  "pyproject.toml",
] as const;
/** Lockfiles of large projects have a few MiB. */
const MANIFEST_BYTES_MAX = 16 * 1_048_576;

/** Of files that a requirements file includes. */
const INCLUDED_BYTES_MAX = 1_048_576;

/** Reads a canonical tar to its end. `included`: more files whose text is wanted. */
export async function readSources(
  tar: AsyncIterable<Buffer>,
  included: ReadonlySet<string> = new Set(),
): Promise<PackageSources> {
  const entries = extract();
  const reading = Readable.from(tar).pipe(entries as unknown as NodeJS.WritableStream);
  reading.on("error", () => {}); // the loop below hears of it
  const paths: string[] = [];
  const texts = new Map<string, string>();
  for await (const entry of entries) {
    const { name, size } = entry.header;
    paths.push(name);
    const isWanted =
      ((manifestNames as readonly string[]).includes(name) && size <= MANIFEST_BYTES_MAX) ||
      (included.has(name) && size <= INCLUDED_BYTES_MAX);
    if (!isWanted) {
      entry.resume();
      continue;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    texts.set(name, Buffer.concat(chunks).toString("utf8"));
  }
  return { paths, text: (name) => texts.get(name) ?? null };
}
