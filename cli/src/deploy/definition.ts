import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { textOption } from "../arguments.ts";
import { type Options, usageFailure } from "../command.ts";
import { readDefinitionFile } from "./definition-file.ts";
import { flagOf, flagsOf, settingsOfFlags } from "./setting-flags.ts";
import type { Variables } from "./variables.ts";

/** What a person wants one function to be. Settings that are left out stay as they are; a new function gets the defaults. */
export interface Definition {
  name: string;
  codeDir: string;
  /** Members of the API's `CreateFunction`, by their names there. */
  settings: Record<string, unknown>;
  /** The application that it belongs to; null: to none; undefined: whatever it is. */
  app?: string | null | undefined;
  /** A member of the API's `CreateFunction` as the person wrote it: `memoryMiB` -> `--memory-mib`, or its place in isola.yaml. */
  placeOf(path: string): string;
}

export interface Definitions {
  /** As in a definition, of all. */
  app: string | null | undefined;
  /** Of every function that the file names, also where one of them is meant. */
  names: readonly string[];
  definitions: readonly Definition[];
  /** That were read beside isola.yaml: those of `envFile`. */
  files: readonly string[];
}

export const DEFINITION_FILE = "isola.yaml";

/** The functions of `dir`: those of its isola.yaml, else the one that the folder itself is. `variables` are for isola.yaml. */
export function readDefinitions(dir: string, options: Options, variables: Variables): Definitions {
  refuseFile(dir);
  const file = join(dir, DEFINITION_FILE);
  const given = settingsOfFlags(options);
  const name = textOption(options, "name");
  if (!existsSync(file)) {
    const definition = definitionOfFolder(dir, name, given);
    return { app: undefined, names: [definition.name], definitions: [definition], files: [] };
  }
  if (Object.keys(given).length > 0) {
    throw usageFailure(`Settings come from ${file}; leave out the flags ${flagsOf(given)}`);
  }
  const all = readDefinitionFile(file, variables, name);
  for (const { codeDir } of all.definitions) refuseFile(codeDir);
  if (name !== undefined && all.definitions.length === 0)
    throw usageFailure(`${file} has no function ${name}`);
  return all;
}

function definitionOfFolder(
  dir: string,
  name: string | undefined,
  settings: Record<string, unknown>,
): Definition {
  if (!existsSync(dir)) throw usageFailure(`There is no folder ${dir}`);
  const isNamed = name !== undefined;
  const placeOf = (path: string) => {
    if (isName(path)) return isNamed ? "--name" : "the folder's name, without --name,";
    if (path.startsWith("code")) return path;
    if (path.startsWith("route.methods")) return "--methods";
    const [member = "", ...rest] = path.split(/[.[\]]/);
    return [flagOf(member), member === "route" ? "" : rest.join("")].join(" ").trimEnd();
  };
  return { name: name ?? basename(dir), codeDir: dir, settings, placeOf };
}

function isName(path: string): boolean {
  return path === "name" || path === "path.name";
}

function refuseFile(path: string): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return;
  const isArchive = /\.(zip|tar|tgz|tar\.gz)$/i.test(path);
  const way = isArchive
    ? "unpack it and deploy the folder; the API takes archives as they are: PUT /api/v1/functions/<name>/code"
    : "name the folder it is in";
  throw usageFailure(`${path} is a file and a function is deployed from a folder: ${way}`);
}

/** `nodejs` or `python` by the file in which each looks for its handler; null where that leaves a doubt. */
export function guessRuntime(codeDir: string): string | null {
  const has = (names: readonly string[]) => names.some((name) => existsSync(join(codeDir, name)));
  const isNode = has([
    "index.mjs",
    "index.js",
    "index.cjs",
    "index.ts",
    "index.mts",
    "package.json",
  ]);
  const isPython = has(["app.py", "requirements.txt", "pyproject.toml"]);
  if (isNode === isPython) return null;
  return isNode ? "nodejs" : "python";
}
