import { createHash } from "node:crypto";
import { pack } from "tar-stream";
import { type PackageFile, readPackageFiles } from "./package-files.ts";

/** A file without its contents. */
export interface FileMark {
  path: string;
  bytes: number;
  isExecutable: boolean;
  /** SHA-256, hex. */
  digest: string;
}

/** What a folder would be deployed as. */
export interface PackageMark {
  /** `codeDigest` of a function with exactly these files. */
  digest: string;
  files: FileMark[];
}

/** Reads the folder, and keeps nothing of its contents. */
export async function markFolder(dir: string): Promise<PackageMark> {
  const files = readPackageFiles(dir);
  return { digest: await digestOf(files), files: files.map(markOf) };
}

export function markOf({ path, bytes, isExecutable }: PackageFile): FileMark {
  const digest = createHash("sha256").update(bytes).digest("hex");
  return { path, bytes: bytes.length, isExecutable, digest };
}

/**
 * SHA-256 of the tar that the server makes of these files (`server/src/artifacts/canonical-tar.ts`): folders have entries of their own, all are sorted by the bytes of their names, times
 * and owners are 0, modes 0644 and 0755. A test holds it against the server's; where they differ all the same, code is downloaded and compared.
 */
export async function digestOf(files: readonly PackageFile[]): Promise<string> {
  const entries = new Map<string, PackageFile | null>();
  for (const file of files) {
    entries.set(file.path, file);
    for (let at = file.path.indexOf("/"); at >= 0; at = file.path.indexOf("/", at + 1))
      entries.set(file.path.slice(0, at + 1), null);
  }
  const sorted = [...entries.keys()]
    .map((name) => ({ name, key: Buffer.from(name) }))
    .toSorted((a, b) => Buffer.compare(a.key, b.key));
  const tar = pack();
  const hash = createHash("sha256");
  const hashed = (async () => {
    for await (const chunk of tar as AsyncIterable<Buffer>) hash.update(chunk);
  })();
  for (const { name } of sorted) {
    const file = entries.get(name);
    const all = { name, mtime: new Date(0), uid: 0, gid: 0 };
    if (file) tar.entry({ ...all, mode: file.isExecutable ? 0o755 : 0o644 }, file.bytes);
    else tar.entry({ ...all, type: "directory", mode: 0o755 });
  }
  tar.finalize();
  await hashed;
  return hash.digest("hex");
}
