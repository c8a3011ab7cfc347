import { type Document, isAlias, isMap, isPair, isScalar, isSeq, parseDocument } from "yaml";
import { usageFailure } from "../command.ts";

export const SOURCE_BYTES_MAX = 1_048_576;
const NODES_MAX = 50_000;
const DEPTH_MAX = 64;

/** Plain values of a file of YAML or JSON. CloudFormation's tags become its long form: `!Ref A` -> `{Ref: "A"}`. */
export type Tree = null | boolean | number | string | Tree[] | TreeMap;
export interface TreeMap {
  [key: string]: Tree;
}

export function isTreeMap(value: unknown): value is TreeMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Refuses what is not YAML, refers to itself, or has more than 50,000 values (aliases count each time) or 64 levels. `name`: of the file, for messages. */
export function readTree(text: string, name: string): Tree {
  if (Buffer.byteLength(text) > SOURCE_BYTES_MAX) throw tooLarge(name);
  const document = parse(text, name);
  const [error] = document.errors;
  if (error?.message.startsWith("Maximum call stack")) throw tooDeep(name);
  if (error !== undefined) throw usageFailure(`${name} is not YAML or JSON: ${error.message}`);
  return new Walk(document, name).valueOf(document.contents, 0);
}

export function tooLarge(name: string): Error {
  return usageFailure(`${name} has more than ${SOURCE_BYTES_MAX} bytes, which is not read`);
}

function parse(text: string, name: string): Document {
  try {
    return parseDocument(text, { logLevel: "silent", prettyErrors: true, uniqueKeys: false });
  } catch (error) {
    // Brackets within brackets, until the parser's stack is full.
    if (error instanceof RangeError) throw tooDeep(name);
    throw error;
  }
}

function tooDeep(name: string): Error {
  return usageFailure(`${name} is nested more than ${DEPTH_MAX} levels deep, which is not read`);
}

class Walk {
  readonly #document: Document;
  readonly #name: string;
  #nodes = 0;

  constructor(document: Document, name: string) {
    this.#document = document;
    this.#name = name;
  }

  valueOf(node: unknown, depth: number): Tree {
    this.#nodes += 1;
    if (this.#nodes > NODES_MAX)
      throw usageFailure(`${this.#name} holds more than ${NODES_MAX} values, which is not read`);
    if (depth > DEPTH_MAX) throw tooDeep(this.#name);
    if (isAlias(node)) return this.valueOf(node.resolve(this.#document), depth + 1);
    if (isScalar(node)) return tagged(node.tag, scalarOf(node.value));
    if (isSeq(node))
      return tagged(
        node.tag,
        node.items.map((item) => this.valueOf(item, depth + 1)),
      );
    if (isMap(node)) return tagged(node.tag, this.#mapOf(node.items, depth));
    return null;
  }

  #mapOf(pairs: readonly unknown[], depth: number): TreeMap {
    const map: TreeMap = {};
    for (const pair of pairs) {
      if (!isPair(pair)) continue;
      const key = isScalar(pair.key) ? textOf(pair.key.value) : "";
      if (key === "__proto__") throw usageFailure(`${this.#name} has a key __proto__`);
      const value = this.valueOf(pair.value, depth + 1);
      if (key === "<<") mergeInto(map, value);
      else map[key] = value;
    }
    return map;
  }
}

/** A key that is there already stays; one that follows replaces it. */
function mergeInto(map: TreeMap, value: Tree): void {
  for (const one of Array.isArray(value) ? value : [value]) {
    if (!isTreeMap(one)) continue;
    for (const [key, merged] of Object.entries(one))
      if (!Object.hasOwn(map, key)) map[key] = merged;
  }
}

function scalarOf(value: unknown): Tree {
  if (value === null || ["string", "number", "boolean"].includes(typeof value))
    return value as Tree;
  return value === undefined ? null : textOf(value);
}

/** Also of what JSON has no word for: a date, a large whole number. */
function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "bigint") return value.toString();
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function tagged(tag: string | undefined, value: Tree): Tree {
  const name = /^!([A-Za-z][A-Za-z0-9:]*)$/.exec(tag ?? "")?.[1];
  if (name === undefined) return value;
  if (name === "Ref" || name === "Condition") return { [name]: value };
  if (name === "GetAtt" && typeof value === "string") {
    const dot = value.indexOf(".");
    return { "Fn::GetAtt": dot === -1 ? [value] : [value.slice(0, dot), value.slice(dot + 1)] };
  }
  return { [`Fn::${name}`]: value };
}
