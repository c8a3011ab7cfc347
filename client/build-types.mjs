import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { typeText } from "./type-text.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const apiDir = join(root, "api/src");
const clientDir = join(root, "client/src");

/**
 * Writes the declarations of the client, which name no library of schemas: types that the API makes of a schema are written out first, and the rest is compiled
 * over these. `work`: a folder for what lies between.
 * @param {string} out @param {string} work
 */
export async function writeTypes(out, work) {
  const first = compile(join(work, "first"), {
    rootDir: root,
    include: [join(clientDir, "index.ts"), join(apiDir, "*.ts")],
  });
  const schemas = await loadSchemas(work);
  const stage = join(work, "stage");
  mkdirSync(join(stage, "api"), { recursive: true });
  writeFileSync(join(work, "package.json"), '{ "type": "module" }');
  for (const file of readdirSync(apiDir)) {
    const source = readFileSync(join(apiDir, file), "utf8");
    const name = basename(file, ".ts");
    const isOfSchemas = source.includes('from "typebox"');
    const declared = () => readFileSync(join(first, "api/src", `${name}.d.ts`), "utf8");
    writeFileSync(
      join(stage, "api", file),
      isOfSchemas ? plainTypes(declared(), schemas[name]) : source,
    );
  }
  for (const file of readdirSync(clientDir)) {
    const source = readFileSync(join(clientDir, file), "utf8");
    writeFileSync(join(stage, file), source.replace(/"@isola\/api\/([\w-]+)"/g, '"./api/$1.ts"'));
  }
  const second = compile(join(work, "second"), {
    rootDir: stage,
    include: [join(stage, "index.ts")],
  });
  mkdirSync(join(out, "api"));
  for (const file of readdirSync(second, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".d.ts")) continue;
    const text = readFileSync(join(second, file), "utf8");
    if (/typebox|Type\.T/.test(text)) throw new Error(`${file} still names schemas:\n${text}`);
    writeFileSync(join(out, file), text.replace(/(["']\.{1,2}\/[\w/-]+)\.ts(["'])/g, "$1.js$2"));
  }
}

/** Declarations by the compiler, in `outDir`. @param {string} outDir @param {{ rootDir: string, include: string[] }} sources */
function compile(outDir, { rootDir, include }) {
  const config = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      ...{ noEmit: false, declaration: true, emitDeclarationOnly: true, outDir, rootDir },
      types: [],
      lib: ["es2024", "dom", "dom.iterable", "dom.asynciterable"],
    },
    include,
    exclude: [],
  };
  mkdirSync(outDir, { recursive: true });
  const project = `${outDir}.json`;
  writeFileSync(project, JSON.stringify(config));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", project], { stdio: "inherit" });
  return outDir;
}

/** Every export of the API's modules, by module. @param {string} work */
async function loadSchemas(work) {
  const modules = readdirSync(apiDir).map((name) => basename(name, ".ts"));
  const lines = modules.map((name) => `export * as ${JSON.stringify(name)} from "./${name}.ts";`);
  const outfile = join(work, "schemas.mjs");
  const stdin = { contents: lines.join("\n"), resolveDir: apiDir };
  const options = /** @type {const} */ ({ bundle: true, format: "esm", platform: "node" });
  await build({ ...options, stdin, outfile, target: "es2022", logLevel: "warning" });
  return import(pathToFileURL(outfile).href);
}

/** Declarations without those of schemas: types that are made of one are written out. @param {string} text @param {Record<string, any>} schemas */
function plainTypes(text, schemas) {
  const kept = text.split(/^(?=\/\*\*|import |export |declare )/m).map((statement) => {
    const name = /^export type (\w+) = Static<typeof \1>;/.exec(statement)?.[1];
    if (name !== undefined)
      return `export type ${name} = ${typeText(schemas[name], { path: name })};\n`;
    const isGone =
      /^import .*["']typebox["']/.test(statement) ||
      (/^(export )?declare (const|function)/.test(statement) && /Type\.|"typebox"/.test(statement));
    return isGone ? "" : statement;
  });
  return `${kept.join("")}\nexport {};\n`;
}
