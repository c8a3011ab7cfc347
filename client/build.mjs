// npm run build -w client: makes client/dist, a package that any Node.js from version 20 on, Deno, Bun and browsers run as it is: one file of
// JavaScript, its types, and a package.json that names them. Pack or publish that folder.
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeTypes } from "./build-types.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const outDir = resolve(process.argv[2] ?? join(here, "dist"));

// Beside the result, so that a build that fails leaves the one before.
const work = mkdtempSync(`${outDir}-`);
try {
  const out = join(work, "out");
  await buildScript(out);
  await writeTypes(out, work);
  writePackage(out);
  rmSync(outDir, { recursive: true, force: true });
  renameSync(out, outDir);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** @param {string} out */
async function buildScript(out) {
  mkdirSync(out);
  const { metafile } = await build({
    entryPoints: [join(here, "src/index.ts")],
    outfile: join(out, "index.js"),
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    metafile: true,
    logLevel: "warning",
  });
  const foreign = Object.keys(metafile.inputs).filter((path) => path.includes("node_modules"));
  if (foreign.length > 0)
    throw new Error(`the client needs no package, but has come to import ${foreign.join(", ")}`);
}

/** @param {string} out */
function writePackage(out) {
  const own = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  const { name, version, license, type } = own;
  const manifest = {
    ...{ name, version, license, type },
    description: "Client of Isola, the self-hosted serverless function platform",
    exports: { ".": { types: "./index.d.ts", default: "./index.js" } },
    types: "./index.d.ts",
    sideEffects: false,
    files: ["index.js", "*.d.ts", "api"],
    engines: { node: ">=20.3" },
  };
  writeFileSync(join(out, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync(join(here, "README.md"), join(out, "README.md"));
  copyFileSync(join(here, "../LICENSE"), join(out, "LICENSE"));
}
