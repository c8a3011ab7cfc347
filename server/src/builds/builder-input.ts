import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { Readable } from "node:stream";
import { getCACertificates } from "node:tls";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { type Header, type Pack, extract, pack } from "tar-stream";
import type { BuildPlan } from "./plan-build.ts";
import type { PackageSources } from "./read-sources.ts";

const root = fileURLToPath(new URL("../../../builders", import.meta.url));
const folders = { nodejs: "node", python: "python" } as const;
const isBuilderFile = /\.(?:mjs|py)$/;

/** The builder of a family: its files by name. */
export function builderFiles(family: BuildPlan["family"]): Map<string, Buffer> {
  const folder = join(root, folders[family]);
  const names = readdirSync(folder)
    .filter((name) => isBuilderFile.test(name))
    .sort();
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

/** Changes with every change of a builder. */
export function digestOf(files: ReadonlyMap<string, Buffer>): string {
  const hash = createHash("sha256");
  for (const [name, bytes] of files) hash.update(`${name} ${bytes.length}\n`).update(bytes);
  return hash.digest("hex");
}

/** What a build sandbox gets as its code: the builder, its order, the certificates that this server trusts, and below `input/` what it builds from. */
export async function* builderInput(
  given: { plan: BuildPlan; files: ReadonlyMap<string, Buffer>; more: object },
  sources: PackageSources,
  source: () => Promise<AsyncIterable<Buffer>>,
): AsyncGenerator<Buffer> {
  const { plan, files, more } = given;
  const tar = pack();
  const filling = fill(tar, async () => {
    for (const [name, bytes] of files) tar.entry({ name }, bytes);
    tar.entry({ name: "build.json" }, JSON.stringify({ ...plan.order, ...more }));
    tar.entry({ name: "ca.pem" }, trustedCertificates());
    tar.entry({ name: "input/", type: "directory" });
    for (const name of plan.only ?? []) {
      const text = sources.text(name);
      if (text !== null) tar.entry({ name: `input/${name}` }, text);
    }
    if (plan.only === null) await copyBelowInput(await source(), tar);
  });
  yield* tar as AsyncIterable<Buffer>;
  await filling;
}

async function fill(tar: Pack, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    tar.finalize();
  } catch (error) {
    tar.destroy(error as Error);
  }
}

async function copyBelowInput(source: AsyncIterable<Buffer>, tar: Pack): Promise<void> {
  const entries = extract();
  const reading = Readable.from(source).pipe(entries as unknown as NodeJS.WritableStream);
  reading.on("error", () => {}); // the loop below hears of it
  for await (const entry of entries) {
    const { name, type, mode, size } = entry.header as Header;
    const header = { name: `input/${name}`, mode, type, size };
    if (type === "directory") {
      tar.entry({ ...header, size: 0 });
      entry.resume();
      continue;
    }
    await new Promise<void>((resolve, reject) => {
      const sink = tar.entry(header, (error) => (error ? reject(error) : resolve()));
      entry.on("error", reject);
      entry.pipe(sink as unknown as NodeJS.WritableStream);
    });
  }
}

/** Those of Node.js, of this machine, and what `NODE_EXTRA_CA_CERTS` adds: a registry may stand behind an authority of the operator's own. */
function trustedCertificates(): string {
  const all = new Set([...getCACertificates("default"), ...getCACertificates("system")]);
  return `${[...all].map((one) => one.trim()).join("\n")}\n`;
}
