import type { DroppedPackage } from "./package-drop.tsx";

export interface NamedFile {
  /** Below what was dropped, `lib/a.mjs`. */
  path: string;
  file: File;
}

const FILES_MAX = 2000;
const BYTES_MAX = 20 * 1_048_576;
/** Never part of a package. */
const LEFT_OUT = /(^|\/)(\.git|\.DS_Store|__pycache__|\.venv)(\/|$)/;

/** Files of an input element. */
export async function filesOfInput(files: readonly File[]): Promise<NamedFile[]> {
  return files.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Files of a drop, those in folders too. Rejects where there are too many. */
export async function droppedFiles(data: DataTransfer): Promise<NamedFile[]> {
  const found: NamedFile[] = [];
  // All at once, since the browser forgets them after the event.
  const rest = [...data.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  for (let entry = rest.pop(); entry !== undefined; entry = rest.pop()) {
    if (LEFT_OUT.test(entry.fullPath)) continue;
    if (entry.isDirectory) rest.push(...(await entriesOf(entry as FileSystemDirectoryEntry)));
    else
      found.push({
        path: entry.fullPath.slice(1),
        file: await fileOf(entry as FileSystemFileEntry),
      });
    if (found.length + rest.length > FILES_MAX) throw tooMany();
  }
  return found;
}

/** The package that they make. Rejects, in words for a person, where they make none. */
export async function packageOf(all: readonly NamedFile[]): Promise<DroppedPackage> {
  const files = all.filter(({ path }) => !LEFT_OUT.test(path));
  const first = files[0];
  if (first === undefined) throw new Error("there is no file in it");
  if (files.length === 1 && first.path.endsWith(".zip")) return zipOf(first.file);
  if (files.length > FILES_MAX) throw tooMany();
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  if (bytes > BYTES_MAX)
    throw new Error(
      "it is too large for the browser: deploy it from the command line, or as a zip archive",
    );
  const texts: Record<string, string> = {};
  for (const { path, file } of withoutCommonFolder(files)) {
    const text = new TextDecoder("utf-8", { fatal: true });
    try {
      texts[path] = text.decode(await file.arrayBuffer());
    } catch {
      throw new Error(`${path} is no text: drop the package as a zip archive`);
    }
  }
  const runtime = runtimeOf(Object.keys(texts));
  if (runtime === null) throw new Error("expected JavaScript, TypeScript or Python, given neither");
  return { title: `${files.length} files`, code: { files: texts }, runtime };
}

async function zipOf(file: File): Promise<DroppedPackage> {
  if (file.size > BYTES_MAX)
    throw new Error("it is too large for the browser: deploy it from the command line");
  const zip = btoa(binaryText(new Uint8Array(await file.arrayBuffer())));
  return { title: file.name, code: { zip }, runtime: null };
}

function binaryText(bytes: Uint8Array): string {
  let text = "";
  const step = 32_768;
  for (let at = 0; at < bytes.length; at += step)
    text += String.fromCharCode(...bytes.subarray(at, at + step));
  return text;
}

function runtimeOf(paths: readonly string[]): "nodejs" | "python" | null {
  if (paths.some((path) => /\.(m|c)?(j|t)s$/.test(path))) return "nodejs";
  return paths.some((path) => path.endsWith(".py")) ? "python" : null;
}

/** A folder that was dropped is the package, not a part of it. */
function withoutCommonFolder(files: readonly NamedFile[]): NamedFile[] {
  const folders = new Set(files.map(({ path }) => (path.includes("/") ? path.split("/")[0] : "")));
  const [folder] = folders;
  if (folders.size !== 1 || folder === "" || folder === undefined) return [...files];
  return files.map(({ path, file }) => ({ path: path.slice(folder.length + 1), file }));
}

/** The browser gives them in portions. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return found;
    found.push(...some);
    if (found.length > FILES_MAX) throw tooMany();
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

function tooMany(): Error {
  return new Error(
    `it has more than ${FILES_MAX} files: deploy it from the command line, or as a zip archive`,
  );
}
