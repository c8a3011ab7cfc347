import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  APP_LABEL,
  DefaultDefinition,
  DefinitionFrame,
  FunctionDefinition,
} from "@isola/api/definition-file";
import { type Schema, explain, fits, isObject } from "@isola/api/explain";
import { NAME_PATTERN } from "@isola/api/limits";
import { usageFailure } from "../command.ts";
import { didYouMean } from "../nearest.ts";
import type { Definition, Definitions } from "./definition.ts";
import { readEnvFile } from "./env-file.ts";
import { Filled, type Variables, fillIn, settle } from "./variables.ts";
import { readSmallFile } from "./small-file.ts";
import { type Path, readYaml, spelled } from "./yaml-document.ts";

type Mapping = Record<string, unknown>;

const FUNCTIONS_MAX = 1000;

/** Everything that is wrong with one file, told at once and by line. */
class Problems {
  readonly #all: { place: string; order: number; text: string }[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** `place` is another file where the fault is there. */
  add(line: number | null, text: string, place?: string): void {
    const own = place ?? (line === null ? "" : `line ${line}`);
    this.#all.push({ place: own === "" ? "" : `${own}: `, order: line ?? 0, text });
  }

  /** Throws the usage failure of all. */
  refuse(): void {
    if (this.#all.length === 0) return;
    const sorted = this.#all.toSorted((a, b) => a.order - b.order);
    const lines = new Set(sorted.map(({ place, text }) => `  ${place}${text}`));
    throw usageFailure([`${this.#file} cannot be deployed:`, ...lines].join("\n"));
  }
}

/** The functions of an isola.yaml, or the one of them that is named. Throws a usage failure with everything that is wrong. */
export function readDefinitionFile(
  file: string,
  variables: Variables,
  only: string | undefined,
): Definitions {
  const problems = new Problems(file);
  const document = readYaml(textOf(file));
  for (const { line, text } of document.problems) problems.add(line, text);
  problems.refuse();
  const tell = (path: Path, text: string) =>
    problems.add(document.lineOf(path), `${spelled(path)}: ${text}`);
  const frame = settledFrame(fillIn(chosen(document.value, only), variables, tell));
  problems.refuse();
  const { defaults = {}, ...around } = (isObject(frame) ? frame : {}) as Mapping;
  checkPart(DefinitionFrame as Schema, isObject(frame) ? around : frame, [], tell);
  checkPart(DefaultDefinition as Schema, defaults, ["defaults"], tell);
  const { name: app = null, functions } = around;
  const all = isObject(functions) ? functions : {};
  checkNames(Object.keys(all), tell);
  const dir = dirname(file);
  const files = new Set<string>();
  const definitions = Object.entries(all).map(([name, own]) => {
    const settled = settle(FunctionDefinition as Schema, own);
    checkPart(FunctionDefinition as Schema, settled, ["functions", name], tell);
    if (!isObject(settled)) return null;
    const parts: Parts = { own: settled, defaults: isObject(defaults) ? defaults : {} };
    const lineOf = (path: Path) => document.lineOf(path);
    return definitionOf({
      name,
      parts,
      dir,
      app: app as string | null,
      tell,
      problems,
      lineOf,
      files,
    });
  });
  problems.refuse();
  const named = isObject(document.value) ? document.value.functions : {};
  return {
    app: app as string | null,
    names: Object.keys(isObject(named) ? named : {}),
    definitions: definitions.filter((one) => one !== null),
    files: [...files],
  };
}

function textOf(file: string): string {
  try {
    return readSmallFile(file);
  } catch (error) {
    throw usageFailure(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** Without the functions that are not meant: their variables need not be set. */
function chosen(value: unknown, only: string | undefined): unknown {
  if (only === undefined || !isObject(value) || !isObject(value.functions)) return value;
  const functions = Object.entries(value.functions).filter(([name]) => name === only);
  return { ...value, functions: Object.fromEntries(functions) };
}

/** All but the functions, which each are settled by their own schema. */
function settledFrame(filled: unknown): unknown {
  if (!isObject(filled)) return settle({ type: "object" }, filled);
  const { functions, ...others } = filled;
  const frame = settle(DefinitionFrame as Schema, others) as Mapping;
  if (functions === undefined) return frame;
  return { ...frame, functions: functions instanceof Filled ? functions.text : functions };
}

function checkPart(
  schema: Schema,
  value: unknown,
  path: Path,
  tell: (path: Path, text: string) => void,
): void {
  if (fits(schema, value)) return;
  for (const { path: place, expected, given } of explain(schema, value)) {
    const below = place === "body" ? [] : stepsOf(place);
    tell(
      [...path, ...below],
      unknownMember(below, expected) ?? `expected ${expected}, given ${given}`,
    );
  }
}

/** In place of a list of all that are known, those that may be meant. */
function unknownMember(below: Path, expected: string): string | undefined {
  const [, names] = /^one of the members (.*)$/.exec(expected) ?? [];
  const given = String(below.at(-1) ?? "");
  const meant = names === undefined ? "" : didYouMean(given, names.split(", "));
  return meant === "" ? undefined : `is unknown${meant}`;
}

function checkNames(names: readonly string[], tell: (path: Path, text: string) => void): void {
  if (names.length > FUNCTIONS_MAX)
    tell(["functions"], `expected at most ${FUNCTIONS_MAX}, given ${names.length}`);
  for (const name of names.slice(0, FUNCTIONS_MAX)) {
    if (new RegExp(NAME_PATTERN).test(name)) continue;
    const expected = "a name of lower-case letters, digits and -, that begins with a letter";
    tell(["functions", name], `expected ${expected}, 63 at most`);
  }
}

interface Parts {
  own: Mapping;
  defaults: Mapping;
}

interface Making {
  name: string;
  parts: Parts;
  dir: string;
  app: string | null;
  tell(path: Path, text: string): void;
  problems: Problems;
  lineOf(path: Path): number;
  /** Gets the path of each file that is read. */
  files: Set<string>;
}

function definitionOf(making: Making): Definition | null {
  const { name, parts, dir, app, tell, lineOf } = making;
  const { own, defaults } = parts;
  const { code, envFile: _files, ...settings } = { ...defaults, ...own };
  for (const member of ["labels", "build"])
    if (settings[member] !== undefined) settings[member] = merged(parts, member);
  const pathOf = (member: string): Path =>
    own[member] !== undefined || defaults[member] === undefined
      ? ["functions", name, member]
      : ["defaults", member];
  const fromFiles = envOfFiles(making);
  const env = { ...fromFiles, ...(merged(parts, "env") as Record<string, string>) };
  const hasEnv = [own, defaults].some((part) => part.env ?? part.envFile);
  if (hasEnv) settings.env = env;
  if (isObject(settings.labels) && settings.labels[APP_LABEL] !== undefined)
    tell(pathOf("labels"), `${APP_LABEL} is what \`name\` sets; leave it out here`);
  const codeDir = resolve(dir, typeof code === "string" ? code : ".");
  if (!existsSync(codeDir)) tell(pathOf("code"), `there is no folder ${codeDir}`);
  const placeOf = (path: string) => {
    const [member = "", ...rest] = stepsOf(path);
    const isName = path === "name" || path === "path.name";
    const place = isName ? ["functions", name] : [...pathOf(String(member)), ...rest];
    return `isola.yaml:${lineOf(place)}: ${spelled(place)}`;
  };
  return { name, codeDir, settings, app, placeOf };
}

/** A member of both, name by name; the function's own wins. */
function merged({ own, defaults }: Parts, member: string): Mapping {
  const parts = [defaults[member], own[member]].filter(isObject);
  return Object.assign({}, ...parts) as Mapping;
}

function envOfFiles({
  name,
  parts,
  dir,
  problems,
  lineOf,
  files: read,
}: Making): Record<string, string> {
  const places: [unknown, Path][] = [
    [parts.defaults.envFile, ["defaults", "envFile"]],
    [parts.own.envFile, ["functions", name, "envFile"]],
  ];
  const env: Record<string, string> = {};
  for (const [files, path] of places) {
    for (const given of [files ?? []].flat()) {
      if (typeof given !== "string") continue; // told already
      read.add(resolve(dir, given));
      const found = readEnvFile(resolve(dir, given), (line, text) => {
        if (line !== null) return problems.add(line, text, `${given}:${line}`);
        problems.add(lineOf(path), `${spelled(path)}: ${given} ${text}`);
      });
      for (const [key, value] of Object.entries(found)) env[key] = value;
    }
  }
  return env;
}

/** `route.methods[0]` -> its steps. */
function stepsOf(path: string): (string | number)[] {
  return [...path.matchAll(/\[("(?:[^"\\]|\\.)*"|\d+)\]|[^.[\]]+/g)].map(([step, inner]) => {
    if (inner === undefined) return step;
    return inner.startsWith('"') ? (JSON.parse(inner) as string) : Number(inner);
  });
}
