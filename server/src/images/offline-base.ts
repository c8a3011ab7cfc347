import { createHash } from "node:crypto";
import { createReadStream, readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IsolaError } from "../errors.ts";
import { hasImage } from "./base-image.ts";
import type { Engine } from "./engine.ts";
import { type EngineWork, followEngine } from "./engine-stream.ts";
import {
  type ImagePlace,
  type ImageRuntime,
  imageFamily,
  labels,
  offlineBaseName,
  sha256,
} from "./image-inputs.ts";
import { runCommand } from "./run-command.ts";

/** A base made of packages of this machine's Debian, without any registry of images. */
export interface OfflineBase {
  runtime: ImageRuntime;
  repository: string;
  packages: string[];
  /** `bookworm` */
  suite: string;
  /** The machine's own sources of it. */
  sources: string[];
  /** Host path of the script that takes away what is not needed. */
  trim: string;
  /** What the script is told. */
  variables: Record<string, string>;
  /** `isola/base-node:26.10.0-0123456789ab` */
  reference: string;
}

const COMMON = ["ca-certificates", "tzdata"];
/** What Node.js is linked to. */
const NODE_LIBRARIES = ["libc6", "libstdc++6", "libatomic1"];
const TRIM_HOOK = '--extract-hook=sh "$TRIM" "$1"';
const options = [
  ...["--variant=extract", "--format=tar", "--skip=output/dev"],
  // Makes /bin, /lib and so on links into /usr, as Debian itself has them.
  "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
];

/**
 * What the base of a runtime would be made of here. Rejects with `driver_unavailable` where this machine has no Debian packages.
 * @param nodePath Host path of the Node.js binary to bring.
 */
export async function offlineBase(
  { root, repository }: ImagePlace,
  runtime: ImageRuntime,
  nodePath: string,
): Promise<OfflineBase> {
  const { suite, sources } = debianSources();
  const family = imageFamily(runtime);
  const isNode = family === "node";
  const packages = [...COMMON, ...(isNode ? NODE_LIBRARIES : [runtime.name])];
  const variables: Record<string, string> = isNode ? { NODE: nodePath } : { PYTHON: runtime.name };
  const trim = join(root, "images/offline/trim.sh");
  const base = { runtime, repository, packages, suite, sources, trim, variables };
  const paths = [...sources, trim, ...(isNode ? [nodePath] : [])];
  const contents: string[] = [];
  for (const path of paths) contents.push(await fileDigest(path));
  const how = [packages, suite, options, changesOf(base), contents];
  const tag = `${runtime.version}-${sha256(JSON.stringify(how)).slice(0, 12)}`;
  return { ...base, reference: `${offlineBaseName(repository, runtime)}:${tag}` };
}

/** Makes the base where the engine has not got it; `isFresh`: in any case, with the newest packages. Resolves with its reference. */
export async function ensureOfflineBase(
  engine: Engine,
  base: OfflineBase,
  work: Omit<EngineWork, "what"> & { isFresh?: boolean },
): Promise<string> {
  const { reference } = base;
  if (!work.isFresh && (await hasImage(engine, reference))) return reference;
  const folder = await mkdtemp(join(tmpdir(), "isola-base-"));
  try {
    const path = join(folder, "root.tar");
    work.onProgress(`making ${reference} of Debian packages: ${base.packages.join(" ")}`);
    await bootstrap(base, path, work);
    await importRoot(engine, base, path, work);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return reference;
}

async function bootstrap(
  { suite, sources, packages, trim, variables }: OfflineBase,
  target: string,
  work: Omit<EngineWork, "what">,
): Promise<void> {
  const args = [
    ...[...options, `--include=${packages.join(",")}`, TRIM_HOOK],
    ...[suite, target, ...sources],
  ];
  const env = { ...process.env, ...variables, TRIM: trim };
  const missing =
    "mmdebstrap makes base images of packages and is not installed: apt-get install -y mmdebstrap";
  await runCommand("mmdebstrap", args, { env, missing, ...work });
}

function changesOf({ runtime, repository }: Pick<OfflineBase, "runtime" | "repository">): string[] {
  return [
    `LABEL ${labels.base}=${runtime.name} ${labels.repository}=${repository}`,
    "ENV PATH=/usr/local/bin:/usr/bin:/bin",
  ];
}

async function importRoot(
  engine: Engine,
  base: OfflineBase,
  path: string,
  work: Omit<EngineWork, "what">,
): Promise<void> {
  const { reference } = base;
  const [repo, tag] = reference.split(":") as [string, string];
  const changes = changesOf(base);
  await followEngine(
    engine,
    { ...work, what: `import ${reference}` },
    (abortSignal) =>
      engine.docker.importImage(createReadStream(path), {
        repo,
        tag,
        changes,
        abortSignal,
      }) as Promise<NodeJS.ReadableStream>,
  );
}

/** In pieces, as a binary of Node.js is large. */
async function fileDigest(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

const SOURCES_DIR = "/etc/apt/sources.list.d";

/** Files of this machine's package sources that name its own release. */
function debianSources(): { suite: string; sources: string[] } {
  const release = readIfThere("/etc/os-release");
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1];
  const inFolder = namesIn(SOURCES_DIR).filter((name) => /\.(list|sources)$/.test(name));
  const paths = ["/etc/apt/sources.list", ...inFolder.map((name) => join(SOURCES_DIR, name))];
  const isOfRelease = (path: string) =>
    new RegExp(`^(deb|Suites:)\\s.*\\b${suite}\\b`, "m").test(readIfThere(path));
  const sources = suite === undefined ? [] : paths.filter(isOfRelease);
  if (suite === undefined || sources.length === 0)
    throw new IsolaError(
      "driver_unavailable",
      "base images are made of packages on Debian and its kin only: /etc/os-release and /etc/apt name no release that packages could come from",
    );
  return { suite, sources };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // no such folder: no sources in it
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // no such file: nothing said in it
  }
}
