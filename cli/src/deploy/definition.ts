import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { CreateFunction } from "@isola/api/functions";
import {
  afterResponses,
  driverNames,
  networks,
  onDisconnects,
  scalingLimits,
  settingLimits,
  streamLimits,
} from "@isola/api/limits";
import { parse } from "yaml";
import { integerOption, listOption, pairsOf, textOption } from "../arguments.ts";
import { type Option, type Options, usageFailure } from "../command.ts";

/** What a person wants one function to be. Settings that are left out stay as they are; a new function gets the defaults. */
export interface Definition {
  name: string;
  codeDir: string;
  /** Members of the API's `CreateFunction`, by their names there. */
  settings: Record<string, unknown>;
  /** A member of the API's `CreateFunction` as the person wrote it: `memoryMiB` -> `--memory-mib`, or its place in isola.yaml. */
  placeOf(path: string): string;
}

export const DEFINITION_FILE = "isola.yaml";
const settingNames = Object.keys(CreateFunction.properties).filter(
  (name) => name !== "name" && name !== "code",
);
const numberNames = Object.keys(settingLimits) as (keyof typeof settingLimits)[];
/** null, `none` in a flag, is a value of these. */
const nullableLimits = { ...scalingLimits, ...streamLimits };
const nullableNames = Object.keys(nullableLimits) as (keyof typeof nullableLimits)[];

/** Flags of `deploy` that set a setting; those for numbers come from the API's table. */
export const definitionOptions: readonly Option[] = [
  {
    flags: "--name <name>",
    help: "of the function; with isola.yaml: only this one of them",
    completes: "function",
  },
  {
    flags: "--runtime <runtime>",
    help: "nodejs, python, or one by its name, as nodejs26",
    completes: "runtime",
  },
  { flags: "--handler <handler>", help: "file.export, as index.handler" },
  { flags: "--route <path>", help: "as /users/:id or /files/*; `none` for the default only" },
  { flags: "--methods <list>", help: "of the route, divided by commas; left out: every method" },
  { flags: "--driver <driver>", help: "isolation technology", completes: driverNames },
  { flags: "--description <text>", help: "for people" },
  { flags: "--label <name=value>", help: "label", isRepeatable: true },
  { flags: "--env <name=value>", help: "environment of the code", isRepeatable: true },
  { flags: "--expose-errors", help: "callers see the function's own error text" },
  ...numberNames.map((name) => ({
    flags: `${flagOf(name)} <n>`,
    help: `${settingLimits[name].least} to ${settingLimits[name].most}, default ${settingLimits[name].default}${name === "idleTimeoutMs" ? ", or auto" : ""}`,
  })),
  ...nullableNames.map((name) => ({
    flags: `${flagOf(name)} <n>`,
    help: `${nullableLimits[name].least} to ${nullableLimits[name].most}, or none, the default`,
  })),
  {
    flags: "--after-response <what>",
    help: `${afterResponses.join(", ")}; default freeze`,
    completes: afterResponses,
  },
  {
    flags: "--build <list>",
    help: "auto; none: take the package as it is; scripts: code of dependencies may run; bundle: one file; or several, divided by commas",
  },
  {
    flags: "--on-disconnect <what>",
    help: `${onDisconnects.join(", ")}; default cancel`,
    completes: onDisconnects,
  },
  { flags: "--network <what>", help: `${networks.join(", ")}; default none`, completes: networks },
];

/** The functions of `dir`: those of its isola.yaml, else the one that the folder itself is. */
export function readDefinitions(dir: string, options: Options): Definition[] {
  refuseFile(dir);
  const file = join(dir, DEFINITION_FILE);
  const given = settingsOfFlags(options);
  const name = textOption(options, "name");
  if (!existsSync(file)) return [definitionOfFolder(dir, name, given)];
  if (Object.keys(given).length > 0) {
    throw usageFailure(`Settings come from ${file}; leave out the flags ${flagsOf(given)}`);
  }
  const all = readFile(file, dir);
  const chosen = name === undefined ? all : all.filter((definition) => definition.name === name);
  if (chosen.length > 0) return chosen;
  throw usageFailure(
    name === undefined ? `${file} names no function` : `${file} has no function ${name}`,
  );
}

function readFile(file: string, dir: string): Definition[] {
  let content: unknown;
  try {
    content = parse(readFileSync(file, "utf8"), { prettyErrors: false });
  } catch (error) {
    throw usageFailure(`${file} cannot be read: ${(error as Error).message}`);
  }
  const functions = isMapping(content) ? content.functions : undefined;
  if (!isMapping(functions)) throw usageFailure(`${file} must hold \`functions:\`, a mapping`);
  const problems = [
    ...unknownKeys(content as object, ["functions"], ""),
    ...Object.entries(functions).flatMap(([name, settings]) =>
      isMapping(settings)
        ? unknownKeys(settings, [...settingNames, "code"], `functions.${name}.`)
        : [`functions.${name} must be a mapping of settings`],
    ),
  ];
  if (problems.length > 0) throw usageFailure(`${file}:\n  ${problems.join("\n  ")}`);
  return Object.entries(functions).map(([name, all]) => {
    const { code, ...settings } = all as Record<string, unknown>;
    const codeDir = resolve(dir, typeof code === "string" ? code : ".");
    refuseFile(codeDir);
    const own = `${DEFINITION_FILE}: functions.${name}`;
    const placeOf = (path: string) => (isName(path) ? own : `${own}.${path}`);
    return { name, codeDir, settings, placeOf };
  });
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

function settingsOfFlags(options: Options): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  const textNames = [
    "runtime",
    "handler",
    "driver",
    "description",
    "afterResponse",
    "onDisconnect",
    "network",
  ];
  for (const name of textNames) {
    const text = textOption(options, name);
    if (text !== undefined) settings[name] = text;
  }
  for (const name of nullableNames) {
    const isNone = textOption(options, name) === "none";
    const value = isNone ? null : integerOption(options, name, flagOf(name));
    if (value !== undefined) settings[name] = value;
  }
  for (const name of numberNames) {
    const attribute = attributeOf(flagOf(name));
    const isAuto = name === "idleTimeoutMs" && textOption(options, attribute) === "auto";
    const value = isAuto ? "auto" : integerOption(options, attribute, flagOf(name));
    if (value !== undefined) settings[name] = value;
  }
  const route = textOption(options, "route");
  const methods = textOption(options, "methods")
    ?.split(",")
    .map((method) => method.trim());
  if (methods && !route) throw usageFailure("--methods belongs to a --route");
  if (route) settings.route = route === "none" ? null : { methods: methods ?? [], path: route };
  const env = listOption(options, "env");
  if (env.length > 0) settings.env = pairsOf(env, "--env");
  const labels = listOption(options, "label");
  if (labels.length > 0) settings.labels = pairsOf(labels, "--label");
  const build = textOption(options, "build");
  if (build !== undefined) settings.build = buildOf(build);
  if (options.exposeErrors === true) settings.exposeErrors = true;
  return settings;
}

/** `scripts,bundle` -> the setting. */
function buildOf(text: string): Record<string, unknown> {
  const words = text.split(",").map((word) => word.trim());
  const known = ["auto", "none", "scripts", "bundle"];
  const wrong = words.find((word) => !known.includes(word));
  if (wrong !== undefined)
    throw usageFailure(`--build takes ${known.join(", ")}, divided by commas; given: ${wrong}`);
  return {
    dependencies: words.includes("none") ? "none" : "auto",
    scripts: words.includes("scripts"),
    bundle: words.includes("bundle"),
  };
}

function flagsOf(settings: Record<string, unknown>): string {
  return Object.keys(settings).map(flagOf).join(", ");
}

/** `memoryMiB` -> `--memory-mib` */
function flagOf(name: string): string {
  const words = name.replace("MiB", "Mib").split(/(?=[A-Z])/);
  return `--${words.map((word) => word.toLowerCase()).join("-")}`;
}

/** `--memory-mib` -> `memoryMib`, the member of `Options`. */
function attributeOf(flag: string): string {
  return flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function unknownKeys(mapping: object, known: readonly string[], prefix: string): string[] {
  return Object.keys(mapping)
    .filter((key) => !known.includes(key))
    .map((key) => `${prefix}${key} is unknown; known are ${known.join(", ")}`);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
