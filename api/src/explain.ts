import Value from "typebox/value";
import type { ErrorDetail } from "./errors.ts";

/** The part of JSON Schema that the API's schemas use. */
export interface Schema {
  type?: string | readonly string[];
  enum?: readonly unknown[];
  const?: unknown;
  anyOf?: readonly Schema[];
  properties?: Record<string, Schema>;
  required?: readonly string[];
  additionalProperties?: boolean | Schema;
  maxProperties?: number;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
}

/** More than a person reads at once. */
export const DETAILS_MAX = 100;
const SHOWN_CHARS_MAX = 80;
const WELL_FORMED = "text without half surrogate pairs";
/** What lies below these may be a secret or somebody's data: only its kind is told. */
const HIDDEN = /^(env|code|files|zip|event|request)\b/;

export function fits(schema: Schema, value: unknown): boolean {
  return Value.Check(schema as object, value);
}

/** Everything in `value` that breaks `schema`, in the order of the schema, one detail for each place, 100 at most. */
export function explain(schema: Schema, value: unknown, path = ""): ErrorDetail[] {
  const details: ErrorDetail[] = [];
  visit(schema, value, path, details);
  if (details.length === 0) details.push(detailOf(schema, value, path));
  return details;
}

/**
 * Text with half a surrogate pair, which no encoding can hold: kept, it would come back as something else. Names of members are looked at too; what has no schema is the caller's
 * own and left alone.
 */
export function illFormedText(schema: Schema, value: unknown, path: string): ErrorDetail[] {
  if (schema.type === undefined && schema.anyOf === undefined) return [];
  if (typeof value === "string" && !value.isWellFormed())
    return [{ path: path === "" ? "body" : path, expected: WELL_FORMED, given: kindOf(value) }];
  const fitting = branchFor(schema, value);
  if (Array.isArray(value))
    return value.flatMap((item, at) => illFormedText(fitting.items ?? {}, item, `${path}[${at}]`));
  if (!isObject(value) || fitting.type !== "object") return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const known = Object.hasOwn(fitting.properties ?? {}, name) && fitting.properties?.[name];
    const below = memberPath(path, name.slice(0, SHOWN_CHARS_MAX));
    if (!name.isWellFormed())
      return [{ path: below, expected: WELL_FORMED, given: "another name" }];
    const further = fitting.additionalProperties;
    return illFormedText(known || (typeof further === "object" ? further : {}), member, below);
  });
}

/** A detail with the given value as it may be shown. */
export function problem(path: string, expected: string, given: unknown): ErrorDetail {
  return { path, expected, given: HIDDEN.test(path) ? kindOf(given) : shown(given) };
}

export function memberPath(path: string, name: string): string {
  if (!/^[A-Za-z_][\w-]*$/.test(name)) return `${path}[${shown(name)}]`;
  return path === "" || path.endsWith(".") ? path + name : `${path}.${name}`;
}

function visit(schema: Schema, value: unknown, path: string, details: ErrorDetail[]): void {
  if (details.length >= DETAILS_MAX) return;
  const fitting = branchFor(schema, value);
  if (isObject(value) && fitting.type === "object") {
    visitObject(fitting, value, path, details);
    return;
  }
  if (Array.isArray(value) && fitting.type === "array" && fitting.items !== undefined) {
    const { items, ...rest } = fitting;
    if (!Value.Check(rest, value)) details.push(detailOf(fitting, value, path));
    for (const [at, item] of value.entries()) visit(items, item, `${path}[${at}]`, details);
    return;
  }
  if (!Value.Check(schema as object, value)) details.push(detailOf(schema, value, path));
}

function visitObject(
  schema: Schema,
  value: Record<string, unknown>,
  path: string,
  details: ErrorDetail[],
): void {
  const known = schema.properties ?? {};
  const most = schema.maxProperties ?? Number.POSITIVE_INFINITY;
  if (Object.keys(value).length > most) details.push(detailOf(schema, value, path));
  for (const [name, member] of Object.entries(known)) {
    const isGiven = Object.hasOwn(value, name) && value[name] !== undefined;
    if (isGiven) visit(member, value[name], memberPath(path, name), details);
    else if (schema.required?.includes(name))
      details.push(detailOf(member, undefined, memberPath(path, name)));
  }
  for (const [name, member] of Object.entries(value)) {
    if (details.length >= DETAILS_MAX) return;
    if (Object.hasOwn(known, name)) continue;
    if (typeof schema.additionalProperties === "object")
      visit(schema.additionalProperties, member, memberPath(path, name), details);
    else if (schema.additionalProperties === false)
      details.push(unknownMember(path, name, member, Object.keys(known)));
  }
}

function unknownMember(path: string, name: string, given: unknown, known: string[]): ErrorDetail {
  const expected = known.length === 0 ? "no members" : `one of the members ${known.join(", ")}`;
  return problem(memberPath(path, name.slice(0, SHOWN_CHARS_MAX)), expected, given);
}

/** Of `X | null`, the part that the value means to be. */
function branchFor(schema: Schema, value: unknown): Schema {
  const fitting = schema.anyOf?.find((branch) => branch.type === jsonTypeOf(value));
  return fitting ?? schema;
}

function detailOf(schema: Schema, value: unknown, path: string): ErrorDetail {
  return problem(path === "" ? "body" : path.replace(/\.$/, ""), describe(schema), value);
}

/** A schema in words: `integer from 128 to 10240`. */
export function describe(schema: Schema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(describe).join(" or ");
  if (schema.enum !== undefined) return `one of ${schema.enum.join(", ")}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.type)) return schema.type.join(" or ");
  switch (schema.type) {
    case "integer":
    case "number":
      return `${schema.type}${rangeOf(schema.minimum, schema.maximum, "")}`;
    case "string":
      return describeText(schema);
    case "array":
      return `array${rangeOf(schema.minItems, schema.maxItems, " items")}`;
    case "object":
      return `object${rangeOf(undefined, schema.maxProperties, " members")}`;
    case undefined:
      return "any JSON value";
    default:
      return String(schema.type);
  }
}

function describeText(schema: Schema): string {
  if (schema.format === "date-time") return "a date and time like 2026-11-24T10:00:00Z";
  const range = rangeOf(schema.minLength, schema.maxLength, " characters");
  return schema.pattern === undefined ? `text${range}` : `text${range} matching ${schema.pattern}`;
}

function rangeOf(least: number | undefined, most: number | undefined, unit: string): string {
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}${unit}`;
  if (least !== undefined) return ` of ${least}${unit} or more`;
  return most === undefined ? "" : ` of at most ${most}${unit}`;
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "object" && value !== null) return kindOf(value);
  // JSON can write numbers that are none in JavaScript: 1e999.
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  const text = JSON.stringify(value) ?? kindOf(value);
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}...` : text;
}

function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `array of ${value.length} items`;
  if (isObject(value)) return `object of ${Object.keys(value).length} members`;
  if (typeof value === "string") return `text of ${value.length} characters`;
  return value === null ? "null" : `a ${typeof value}`;
}

function jsonTypeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
