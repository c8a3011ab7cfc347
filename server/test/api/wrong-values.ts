import fc from "fast-check";
import type { Schema } from "./operations.ts";

/** One thing wrong with a body: where, and what stands there then. `undefined` takes the member away. */
export interface Wrong {
  place: (string | number)[];
  value: unknown;
}

/** Stands for a number that JSON can write and JavaScript cannot hold. */
export const ENDLESS = "@@endless@@";

const oddNames = ["__proto__", "constructor", "prototype", "toString", "", "a b", "\0", "é"];
const ofOtherTypes: Record<string, unknown[]> = {
  string: [1, true, null, [], {}, ["a"]],
  integer: ["10", "", true, null, [], {}, [1], 1.5, 0.1, -0.5, 1e308, ENDLESS, `-${ENDLESS}`],
  boolean: ["true", 0, 1, null, [], {}],
  array: ["a", 1, true, null, {}, { 0: "a", length: 1 }],
  object: ["a", 1, true, null, [], [{}]],
  null: ["null", 0, false, [], {}],
};

/** Values that a schema does not allow, at every place of it that the valid value has, or could have. */
export function wrongsOf(schema: Schema, place: (string | number)[] = []): Wrong[] {
  const here = (values: unknown[]) => values.map((value) => ({ place, value }));
  if (schema.anyOf !== undefined) return wrongBranches(schema.anyOf, place);
  if (schema.enum !== undefined) return here(["nope", "", `${schema.enum[0]} `, 1, null, [], {}]);
  const type = typeof schema.type === "string" ? schema.type : "";
  const wrongs = here([...(ofOtherTypes[type] ?? []), ...outOfBounds(schema), nested(3000)]);
  if (type === "object")
    return [
      ...(place.length === 0 ? here(["text", 1, null, []]) : wrongs),
      ...wrongMembers(schema, place),
    ];
  if (type === "array") return [...wrongs, ...wrongsOf(schema.items ?? {}, [...place, 0])];
  return type === "" ? [] : wrongs;
}

/** Of `X | null`: what is neither. */
function wrongBranches(branches: Schema[], place: (string | number)[]): Wrong[] {
  const takes = new Set(branches.map(({ type }) => type));
  return branches
    .flatMap((branch) => wrongsOf(branch, place))
    .filter(({ place: at, value }) => at.length > place.length || !takes.has(typeOf(value)));
}

function wrongMembers(schema: Schema, place: (string | number)[]): Wrong[] {
  const { properties = {}, required = [], additionalProperties } = schema;
  const extra =
    additionalProperties === false
      ? [...oddNames, "timeoutMS", "isAdmin"].map((name) => ({ place: [...place, name], value: 1 }))
      : [{ place: [...place, "__proto__"], value: "x" }];
  const values =
    typeof additionalProperties === "object"
      ? wrongsOf(additionalProperties, [...place, "name"])
      : [];
  const missing = required.map((name) => ({ place: [...place, name], value: undefined }));
  const members = Object.entries(properties).flatMap(([name, member]) =>
    wrongsOf(member, [...place, name]),
  );
  return [...extra, ...values, ...missing, ...members];
}

function outOfBounds(schema: Schema): unknown[] {
  const values: unknown[] = [];
  const { minimum, maximum, minLength = 0, maxLength, maxItems, minItems = 0, pattern } = schema;
  if (minimum !== undefined) values.push(minimum - 1, -1e15);
  if (maximum !== undefined) values.push(maximum + 1, 1e15, Number.MAX_SAFE_INTEGER + 1);
  if (minLength > 0) values.push("");
  if (maxLength !== undefined) values.push("x".repeat(maxLength + 1), "x".repeat(500_000));
  if (pattern !== undefined) values.push("", "\0", "a\n", "../..", "é", "a".repeat(100_000));
  if (schema.format === "date-time")
    values.push("", "tomorrow", "2026-02-30T00:00:00Z", "2999-13-01T00:00:00Z", "2020-01-01");
  if (maxItems !== undefined) values.push(Array.from({ length: maxItems + 1 }, () => "read"));
  if (minItems > 0) values.push([]);
  if (schema.type === "string" && schema.format === undefined) values.push("\ud800", "a\udfffb");
  return values;
}

/** `[[[...]]]` */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let at = 1; at < depth; at += 1) value = [value];
  return value;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "number" ? "integer" : typeof value;
}

/** The value with one thing in it replaced; members on the way are made where they are missing. */
export function withWrong(value: unknown, { place, value: wrong }: Wrong): unknown {
  const [first, ...rest] = place;
  if (first === undefined) return wrong;
  const copy = copyOf(value, first);
  const inner = withWrong(Reflect.get(copy, first), { place: rest, value: wrong });
  if (inner === undefined) Reflect.deleteProperty(copy, first);
  // `__proto__` shall be a member as any other.
  else
    Object.defineProperty(copy, first, {
      value: inner,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  return copy;
}

function copyOf(value: unknown, name: string | number): object {
  if (Array.isArray(value)) return [...value];
  if (typeof value === "object" && value !== null) return { ...value };
  return typeof name === "number" ? [] : {};
}

/** JSON text; `ENDLESS` as the number it stands for. */
export function textOf(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll(`"${ENDLESS}"`, "1e999")
    .replaceAll(`"-${ENDLESS}"`, "-1e999");
}

/** Text that is no JSON, made of some that is. */
export function brokenTexts(text: string): fc.Arbitrary<Buffer> {
  const fixed = [
    "",
    "{",
    "null",
    "[]",
    "1",
    '"x"',
    "NaN",
    "{'a':1}",
    "{a:1}",
    `${text},`,
    `${text}}`,
  ];
  const more = [`//\n${text}`, `${text}\0`, `\u00a0${text}`, text.replace("{", "{,")];
  return fc.oneof(
    fc.constantFrom(...fixed, ...more).map((one) => Buffer.from(one)),
    fc.nat({ max: Math.max(0, text.length - 2) }).map((end) => Buffer.from(text.slice(0, end + 1))),
    fc.constantFrom(Buffer.from(text, "utf16le"), Buffer.from(`\ufeff${text}`, "utf16le")),
    // Not UTF-8: at the end of the last string of it.
    fc.constantFrom(0x80, 0xc0, 0xff).map((byte) => {
      const end = text.lastIndexOf('"');
      const parts = [Buffer.from(text.slice(0, end)), Buffer.from([byte])];
      return Buffer.concat([...parts, Buffer.from(text.slice(end))]);
    }),
  );
}
