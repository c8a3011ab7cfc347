import { existsSync, mkdirSync, renameSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BuildFailure } from "./failure.mjs";
import { runTool } from "./run-tool.mjs";
import { filesBelow } from "./tar.mjs";

const extensions = ["mts", "ts", "tsx", "mjs", "js", "jsx", "cjs", "cts"];
const isSource = /\.(?:[mc]?[jt]s|[jt]sx|map)$/;
const manifests = new Set(["package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc"]);
/** What is bundled as an ES module may come from CommonJS, which asks for these. */
const banner = [
  'import { createRequire as isolaCreateRequire } from "node:module";',
  'import { dirname as isolaDirname } from "node:path";',
  "const require = isolaCreateRequire(import.meta.url);",
  "const __filename = import.meta.filename;",
  "const __dirname = isolaDirname(__filename);",
].join("");

/**
 * One file of the handler's and all it imports, and beside it every file of the package that is no source.
 * @param {{base: string, folder: string, entry: string, esbuild: string}} given @returns {Promise<import("./tar.mjs").TarFile[]>}
 */
export async function bundle({ base, folder, entry, esbuild }) {
  const source = extensions
    .map((one) => `${entry}.${one}`)
    .find((one) => existsSync(join(folder, one)));
  if (source === undefined)
    throw new BuildFailure(
      `there is nothing to bundle: the package has none of ${extensions.map((one) => `${entry}.${one}`).join(", ")}`,
    );
  const output = join(base, "bundle");
  // In the package, so that the map names its sources as they lie in it.
  const made = join(folder, `${entry}.isola-bundle.mjs`);
  const major = process.versions.node.split(".")[0];
  await runTool({
    name: "esbuild",
    program: esbuild,
    args: [
      `./${source}`,
      ...["--bundle", "--platform=node", "--format=esm", `--target=node${major}`],
      ...[`--outfile=${made}`, `--banner:js=${banner}`, "--log-limit=20"],
      ...["--sourcemap=inline", "--sources-content=false", "--color=false"],
    ],
    cwd: folder,
  });
  mkdirSync(dirname(join(output, entry)), { recursive: true });
  renameSync(made, `${join(output, entry)}.mjs`);
  const others = filesBelow(folder, null).filter(
    ({ path }) =>
      !path.startsWith("node_modules/") && !isSource.test(path) && !manifests.has(basename(path)),
  );
  return [...others, ...filesBelow(output, null)];
}
