import { type Schema, fits, isObject } from "@isola/api/explain";
import type { Path } from "./yaml-document.ts";

/** Where variables have their values from, the first that knows one. */
export type Variables = readonly Readonly<Record<string, string | undefined>>[];

export type Report = (path: Path, text: string) => void;

/** A value that was nothing but one variable: it may be taken as a number, a truth or null where text does not fit. */
export class Filled {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const PIECES = /\$\$\{|\$\{([^}]*)\}|\$\{/g;
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?::([-?])([\s\S]*))?$/;

/**
 * The same value with its variables filled in, in text only, never in names or structure: `${NAME}`, `${NAME:-default}` (also where it is empty), `${NAME:?message}`, and `$${` for a
 * `${` that is meant as it is. What is missing or malformed is reported, and then the result is of no use.
 */
export function fillIn(value: unknown, variables: Variables, report: Report): unknown {
  return fill(value, []);

  function fill(given: unknown, path: Path): unknown {
    if (typeof given === "string") return fillText(given, variables, (text) => report(path, text));
    if (Array.isArray(given)) return given.map((item, at) => fill(item, [...path, at]));
    if (!isObject(given)) return given;
    const entries = Object.entries(given).map(([name, one]) => [name, fill(one, [...path, name])]);
    return Object.fromEntries(entries);
  }
}

function fillText(
  text: string,
  variables: Variables,
  report: (text: string) => void,
): string | Filled {
  let isWhole = false;
  const filled = text.replace(PIECES, (piece, inner: string | undefined) => {
    if (piece === "$${") return "${";
    const [, name, kind, rest = ""] = VARIABLE.exec(inner ?? "") ?? [];
    if (name === undefined) {
      report(
        `${piece} is no variable: expected \${NAME}, \${NAME:-default} or \${NAME:?message}; $\${ stands for a \${ that is meant as it is`,
      );
      return "";
    }
    isWhole = piece === text;
    const given = variables.find((source) => source[name] !== undefined)?.[name];
    if (kind === "-") return given || rest;
    if (given !== undefined && (given !== "" || kind === undefined)) return given;
    report(
      kind === "?"
        ? `${name} is not set: ${rest}`
        : `${name} is not set: set it in the environment, with --var ${name}=value or in a --var-file, or write \${${name}:-default}`,
    );
    return "";
  });
  return isWhole ? new Filled(filled) : filled;
}

/** Takes each `Filled` as what the schema wants there: as text where that fits, else as the number, truth or null that it spells. */
export function settle(schema: Schema, value: unknown): unknown {
  if (value instanceof Filled) return settleOne(schema, value.text);
  if (Array.isArray(value)) {
    const items = branchOf(schema, "array")?.items ?? {};
    return value.map((item) => settle(items, item));
  }
  if (!isObject(value)) return value;
  const branch = branchOf(schema, "object");
  const further = branch?.additionalProperties;
  const entries = Object.entries(value).map(([name, member]) => {
    const known = Object.hasOwn(branch?.properties ?? {}, name) && branch?.properties?.[name];
    return [name, settle(known || (typeof further === "object" ? further : {}), member)];
  });
  return Object.fromEntries(entries);
}

function settleOne(schema: Schema, text: string): unknown {
  const spelled = spelledBy(text);
  if (spelled === undefined || fits(schema, text)) return text;
  return fits(schema, spelled) ? spelled : text;
}

function spelledBy(text: string): number | boolean | null | undefined {
  if (/^-?(0|[1-9]\d{0,14})$/.test(text)) return Number(text);
  if (text === "true" || text === "false") return text === "true";
  return text === "null" ? null : undefined;
}

function branchOf(schema: Schema, type: string): Schema | undefined {
  return schema.type === type ? schema : schema.anyOf?.find((branch) => branch.type === type);
}
