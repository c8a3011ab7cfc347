import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { root } from "./pinned-node.mjs";
import { runForOutput, toolEnvironment } from "./processes.mjs";
import { sourceFiles } from "./source-files.mjs";

const DIGEST = ".inputs";
const inputs = ["package-lock.json", "console/index.html"];
const sources = [".ts", ".tsx", ".css", ".svg", ".json", ".html"];

/** Builds the console into `console/dist`, where that is not what its sources would make. Whole or not at all: a build that fails leaves the one before. */
export async function ensureConsole(node, say) {
  const folder = join(root, "console");
  const digest = inputsDigest();
  if (readIfThere(join(folder, "dist", DIGEST)) === digest) return;
  say("Building the console ...");
  const fresh = join(folder, "dist.new");
  rmSync(fresh, { recursive: true, force: true });
  const args = ["build", "--outDir", fresh, "--emptyOutDir", "--logLevel", "warn"];
  const env = { ...toolEnvironment(node, root), NODE_ENV: "production" };
  const { code, output } = await runForOutput("vite", args, { cwd: folder, env });
  if (code !== 0) throw new Error(`the console could not be built: ${output.trim()}`);
  compress(fresh);
  writeFileSync(join(fresh, DIGEST), digest);
  rmSync(join(folder, "dist"), { recursive: true, force: true });
  renameSync(fresh, join(folder, "dist"));
}

function inputsDigest() {
  const hash = createHash("sha256");
  const files = [
    ...inputs,
    ...sourceFiles(root, sources, ["console", "api"]),
    ...sourceFiles(root, [""], ["templates"]), // all of them: they are in the console as they are
  ];
  for (const path of files) hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  return hash.digest("hex");
}

/** Beside each file what a browser takes instead, made once here and not at every request. */
function compress(folder) {
  const [parent, name] = [join(folder, ".."), "dist.new"];
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  for (const path of sourceFiles(parent, [".js", ".css", ".html", ".svg"], [name])) {
    const bytes = readFileSync(join(parent, path));
    writeFileSync(join(parent, `${path}.br`), brotliCompressSync(bytes, quality));
    writeFileSync(join(parent, `${path}.gz`), gzipSync(bytes, { level: 9 }));
  }
}

function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // never built
  }
}
