import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { type ErrorDetail, IsolaError, messageOf } from "../errors.ts";
import type { SettingSpec } from "./setting-spec.ts";
import { type SettingName, envNameOf, flagNameOf, settingNames, settingSpecs } from "./schema.ts";

/** A value somebody gave, and where, for messages and for relative paths. */
export interface Given {
  name: SettingName;
  value: unknown;
  /** `--gateway-port`, `ISOLA_GATEWAY_PORT`, `isola.config.yaml: gatewayPort` */
  source: string;
  baseDir: string;
}

export interface Source {
  given: Given[];
  problems: ErrorDetail[];
}

/** Variables with our prefix that are not settings of the server. */
const otherVariables = new Set([
  ...["ISOLA_CONFIG", "ISOLA_URL", "ISOLA_API_KEY", "ISOLA_PROJECT", "ISOLA_FAIL_POINTS"],
]);
const FILE_BYTES_MAX = 1_048_576;

/** `--gateway-port 9000`, `--gateway-port=9000`, `--accept-no-isolation`, `--accept-no-isolation=false`. The last of a kind wins. */
export function readFlags(argv: readonly string[], cwd: string): Source & { config?: string } {
  const names = new Map(settingNames.map((name) => [flagNameOf(name), name]));
  const found: Source & { config?: string } = { given: [], problems: [] };
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] as string;
    const [flag = "", ...rest] = argument.split("=");
    let value = argument.includes("=") ? rest.join("=") : undefined;
    const name = names.get(flag);
    if (!name && flag !== "--config") {
      const known = [...names.keys()];
      found.problems.push(unknown(argument, "a flag of `isola up --help`", known));
      // What follows a misspelt flag is its value and no second problem.
      const meant = names.get(nearest(known, flag) ?? "");
      const takesValue = meant !== undefined && settingSpecs[meant].kind !== "boolean";
      if (takesValue && value === undefined && !argv[index + 1]?.startsWith("--")) index += 1;
      continue;
    }
    const isSwitch = name !== undefined && settingSpecs[name].kind === "boolean";
    if (value === undefined && isSwitch) value = "true";
    if (value === undefined) {
      index += 1;
      value = argv[index];
    }
    if (value === undefined) {
      found.problems.push({ path: flag, expected: "a value", given: "nothing" });
    } else if (name) {
      found.given.push({ name, value, source: flag, baseDir: cwd });
    } else {
      found.config = value;
    }
  }
  return found;
}

/** `ISOLA_*`. A variable with the prefix that nobody knows is a problem: most often it is a misspelt setting. */
export function readEnv(env: NodeJS.ProcessEnv, cwd: string): Source {
  const names = new Map(settingNames.map((name) => [envNameOf(name), name]));
  const found: Source = { given: [], problems: [] };
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith("ISOLA_") || otherVariables.has(variable)) continue;
    const name = names.get(variable);
    if (name) found.given.push({ name, value, source: variable, baseDir: cwd });
    else found.problems.push(unknown(variable, "the variable of a setting", [...names.keys()]));
  }
  return found;
}

/** Variables of standards; one that is empty is not set. */
export function readStandards(env: NodeJS.ProcessEnv, cwd: string): Given[] {
  return settingNames.flatMap((name): Given[] => {
    const { standard }: SettingSpec = settingSpecs[name];
    const value = standard === undefined ? undefined : env[standard];
    return value === undefined || value === ""
      ? []
      : [{ name, value, source: standard as string, baseDir: cwd }];
  });
}

/** A mapping in YAML or JSON with the names of the settings; relative paths in it are taken from its folder. */
export function readSettingsFile(path: string, cwd: string): Source {
  const file = resolve(cwd, path);
  const content = readMapping(file);
  const found: Source = { given: [], problems: [] };
  for (const [key, value] of Object.entries(content)) {
    const name = settingNames.find((known) => known === key);
    const source = `${path}: ${key}`;
    if (name) found.given.push({ name, value, source, baseDir: dirname(file) });
    else found.problems.push(unknown(source, "the name of a setting", settingNames, key));
  }
  return found;
}

function readMapping(file: string): object {
  let content: unknown;
  try {
    if (statSync(file).size > FILE_BYTES_MAX)
      throw new Error(`larger than ${FILE_BYTES_MAX} bytes`);
    content = parse(readFileSync(file, "utf8"), { prettyErrors: false });
  } catch (cause) {
    const reason = messageOf(cause).split("\n")[0];
    throw new IsolaError("invalid_settings", `settings file ${file} cannot be read: ${reason}`, {
      cause,
    });
  }
  if (content === null) return {};
  if (typeof content === "object" && !Array.isArray(content)) return content as object;
  throw new IsolaError(
    "invalid_settings",
    `settings file ${file} must hold a mapping of settings, like \`gatewayPort: 8080\``,
  );
}

function unknown(
  path: string,
  expected: string,
  names: readonly string[],
  given = path.split("=")[0] as string,
): ErrorDetail {
  const near = nearest(names, given);
  const asked = near ? `${expected}, perhaps ${near}` : expected;
  return { path, expected: asked, given: "an unknown one" };
}

function nearest(names: readonly string[], given: string): string | undefined {
  return names.find((name) => distance(name.toLowerCase(), given.toLowerCase()) <= 2);
}

/** Levenshtein distance of two names; both are cut at 64 characters. */
function distance(left: string, right: string): number {
  const a = left.slice(0, 64);
  const b = right.slice(0, 64);
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
