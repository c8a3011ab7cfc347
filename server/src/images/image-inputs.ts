import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";

/** The language side that an image is for; every `RuntimeSpec` is one. */
export interface ImageRuntime {
  /** `nodejs26`, `python3.11` */
  readonly name: string;
  readonly family: "nodejs" | "python";
  /** Full version, `26.10.0`. */
  readonly version: string;
}

/** Where the inputs are, and how images are named. */
export interface ImagePlace {
  /** The folder that holds `images/`, `runtimes/` and `protocol/`. */
  root: string;
  /** First part of every name, `isola`: images of other ones are left alone. */
  repository: string;
}

/** Labels of our images. */
export const labels = {
  /** First part of the image's name: whose it is, also when it has lost its name. */
  repository: "io.isola.repository",
  /** Reference of the base. */
  from: "io.isola.from",
  /** Digest of everything an image was made of. */
  inputs: "io.isola.inputs",
  /** `nodejs26` */
  runtime: "io.isola.runtime",
  /** On a base that was made of packages: the runtime it is for. */
  base: "io.isola.base",
} as const;

export interface ContextFile {
  /** Inside the build context. */
  path: string;
  bytes: Buffer;
}

/** Everything an image is made of, and its name, which changes with any of it. */
export interface ImageInputs {
  runtime: ImageRuntime;
  /** Reference of the base image. */
  base: string;
  buildArguments: Record<string, string>;
  /** Dockerfile first; folders that must exist are in `folders`. */
  files: ContextFile[];
  folders: string[];
  /** Of all of the above: 64 hexadecimal digits. */
  digest: string;
  /** `isola/node:26.10.0-0123456789ab` */
  reference: string;
}

const folderOf = { nodejs: "node", python: "python" } as const;

/** `node` or `python`: of the folders, and of the names of images. */
export function imageFamily({ family }: ImageRuntime): "node" | "python" {
  return folderOf[family];
}

/** The public base of a runtime: `node:26-slim`, `python:3.11-slim`. */
export function publicBase(runtime: ImageRuntime): string {
  return `${imageFamily(runtime)}:${runtime.name.replace(/^[a-z]+/, "")}-slim`;
}

/** Name, without tag, of a base made of packages: `isola/base-node`. */
export function offlineBaseName(repository: string, runtime: ImageRuntime): string {
  return `${repository}/base-${imageFamily(runtime)}`;
}

export function imageInputs(
  { root, repository }: ImagePlace,
  runtime: ImageRuntime,
  base: string,
): ImageInputs {
  const files = contextFiles(root, runtime);
  const given = { BASE: base, RUNTIME: runtime.name, REPOSITORY: repository };
  const contents = files.map(({ path, bytes }) => [path, sha256(bytes)]);
  const digest = sha256(JSON.stringify([runtime.version, given, contents]));
  const reference = `${repository}/${imageFamily(runtime)}:${runtime.version}-${digest.slice(0, 12)}`;
  const buildArguments = { ...given, INPUTS: digest };
  return { runtime, base, buildArguments, files, folders: ["task"], digest, reference };
}

/** The same places inside an image as in a sandbox of the process driver. */
function contextFiles(root: string, runtime: ImageRuntime): ContextFile[] {
  const family = imageFamily(runtime);
  const read = (path: string, from: string) => ({ path, bytes: readFileSync(join(root, from)) });
  const runtimeFiles = filesBelow(join(root, "runtimes", family))
    .filter((path) => belongsTo[family](path))
    .map((path) => read(`isola/runtimes/${family}/${path}`, `runtimes/${family}/${path}`));
  const frames = "protocol/src/frames.mjs";
  const compiler = "images/python/compile_all.py";
  return [
    read("Dockerfile", `images/${family}/Dockerfile`),
    ...["passwd", "group"].map((name) => read(`etc/${name}`, `images/etc/${name}`)),
    ...(family === "node" ? [read(`isola/${frames}`, frames)] : []),
    ...(family === "python" ? [read("isola/images/compile_all.py", compiler)] : []),
    ...runtimeFiles,
  ];
}

/** Whether a path below a runtime's folder is of the runtime, as are folders and what was compiled of its files; the rest is tests and tools. */
export function isOfRuntime({ family }: Pick<ImageRuntime, "family">, path: string): boolean {
  if (family === "nodejs") return belongsTo.node(path);
  return belongsTo.python(path) || /^isola_runtime(\/(__pycache__(\/[^/]+\.pyc)?)?)?$/.test(path);
}

/** What of a runtime's folder is the runtime; the rest is tests and tools. */
const belongsTo = {
  node: (path: string) => /^([a-z-]+\.mjs|package\.json)$/.test(path),
  python: (path: string) => path === "main.py" || /^isola_runtime\/.*\.py$/.test(path),
};

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

export function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
