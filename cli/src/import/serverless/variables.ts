import { usageFailure } from "../../command.ts";
import { type Known, type KnownMap, isKnownMap, plainOf } from "../known-values.ts";
import { OpenText, Unknown, joined, partsOf, variableName } from "../open-text.ts";
import type { SourceFolder } from "../source-folder.ts";
import { type Tree, type TreeMap, isTreeMap, readTree } from "../yaml-tree.ts";
import { alternativesOf, piecesOf } from "./expressions.ts";

const STEPS_MAX = 20_000;
const DEPTH_MAX = 100;
const TEXT_CHARS_MAX = 65_536;
const FILES_MAX = 50;

/** Nothing is there, so that the next alternative counts. */
const missing = Symbol("missing");
type Found = Known | typeof missing;

/** Looks up the variables of a serverless.yml (`${self:custom.a}`, `${env:B, 'c'}`) without running anything. */
export class ServerlessVariables {
  readonly #root: TreeMap;
  readonly #folder: SourceFolder;
  readonly #files = new Map<string, Tree | undefined>();
  #steps = 0;

  constructor(root: TreeMap, folder: SourceFolder) {
    this.#root = root;
    this.#folder = folder;
  }

  resolve(value: Tree | undefined, depth = 0): Known {
    this.#step(depth);
    if (typeof value === "string") return this.#text(value, depth);
    if (Array.isArray(value)) return value.map((one) => this.resolve(one, depth + 1));
    if (!isTreeMap(value)) return value ?? null;
    const map: KnownMap = {};
    for (const [key, one] of Object.entries(value)) map[key] = this.resolve(one, depth + 1);
    return map;
  }

  #step(depth: number): void {
    this.#steps += 1;
    if (depth > DEPTH_MAX)
      throw usageFailure(
        `its variables refer to each other more than ${DEPTH_MAX} times deep, perhaps in a circle`,
      );
    if (this.#steps > STEPS_MAX)
      throw usageFailure(
        `its variables take more than ${STEPS_MAX} steps to look up, which is not done`,
      );
  }

  #text(source: string, depth: number): Known {
    const pieces = piecesOf(source);
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined && "expression" in only)
      return this.#expression(only.expression, depth);
    const parts: ReturnType<typeof partsOf>[number][] = [];
    let chars = 0;
    for (const piece of pieces) {
      const value = "text" in piece ? piece.text : this.#expression(piece.expression, depth);
      const text = value instanceof OpenText ? value : plainOf(value);
      if (text === null) return new Unknown(source);
      chars += typeof text === "string" ? text.length : 0;
      if (chars > TEXT_CHARS_MAX)
        throw usageFailure(`a text with its variables has more than ${TEXT_CHARS_MAX} characters`);
      parts.push(...partsOf(text));
    }
    return joined(parts);
  }

  #expression(expression: string, depth: number): Known {
    this.#step(depth);
    const [first = "", ...rest] = alternativesOf(expression);
    const found = this.#one(first, depth + 1);
    const others = () => this.#expression(rest.join(", "), depth + 1);
    if (found === missing) return rest.length === 0 ? new Unknown(`\${${expression}}`) : others();
    if (rest.length === 0 || !(found instanceof OpenText) || found.plain() !== null) return found;
    const [variable] = found.variables;
    if (found.parts.length !== 1 || variable === undefined) return found;
    const fallback = plainOf(others());
    return new OpenText([{ name: variable.name, fallback }]);
  }

  /** One alternative, such as `self:custom.table` or `'dev'`. */
  #one(text: string, depth: number): Found {
    if (text.includes("${")) {
      const value = this.#text(text, depth);
      if (/^\$\{.*\}$/s.test(text)) return value instanceof Unknown ? missing : value;
      const plain = plainOf(value);
      return plain === null ? missing : this.#one(plain, depth + 1);
    }
    const quoted = /^(["'])(.*)\1$/s.exec(text)?.[2];
    if (quoted !== undefined) return quoted;
    if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
    if (text === "true" || text === "false") return text === "true";
    if (text === "null") return null;
    const file = /^file\(([^)]+)\)(?::(.+))?$/.exec(text);
    if (file !== null) return this.#file(file[1] as string, file[2], depth);
    const [, source = "", address = ""] = /^([A-Za-z]+):(.*)$/s.exec(text) ?? [];
    return this.#source(source, address, { text, depth });
  }

  #source(
    source: string,
    address: string,
    { text, depth }: { text: string; depth: number },
  ): Found {
    if (source === "self") return this.#self(address, depth);
    if (source === "env") return variable(address, address, text);
    if (source === "opt") return variable(variableName(address), address, text);
    if (source === "sls" && address === "stage") return this.#stage(depth);
    if (source === "param") return this.#param(address, depth);
    return new Unknown(`\${${text}}`);
  }

  #self(address: string, depth: number): Found {
    const value = this.#member(this.#root, address, depth);
    if (value !== missing) return value;
    if (address === "provider.stage") return this.#stage(depth);
    return address === "provider.region" ? "us-east-1" : missing;
  }

  /** What stands at `custom.tables.0.name`, through values that are variables themselves. */
  #member(tree: Tree, address: string, depth: number): Found {
    let value: Tree | undefined = tree;
    const parts = address.split(".");
    for (const [at, part] of parts.entries()) {
      if (typeof value === "string" && value.includes("${")) {
        const known = this.resolve(value, depth + 1);
        return known instanceof Unknown ? known : knownMember(known, parts.slice(at));
      }
      value = ownMember(value, part);
      if (value === undefined) return missing;
    }
    return this.resolve(value, depth + 1);
  }

  #stage(depth: number): Known {
    const provider = ownMember(this.#root, "provider");
    const given = plainOf(this.resolve(ownMember(provider, "stage"), depth + 1));
    return new OpenText([{ name: "STAGE", fallback: given ?? "dev" }]);
  }

  #param(name: string, depth: number): Found {
    const stage = plainOf(this.#stage(depth)) ?? "dev";
    for (const place of [stage, "default"]) {
      const value = this.#member(this.#root, `params.${place}.${name}`, depth);
      if (value !== missing) return value;
    }
    return new Unknown(`\${param:${name}}`);
  }

  #file(path: string, address: string | undefined, depth: number): Found {
    if (!this.#files.has(path)) {
      if (this.#files.size >= FILES_MAX)
        throw usageFailure(`its variables name more than ${FILES_MAX} files, which are not read`);
      this.#files.set(path, this.#read(path));
    }
    const tree = this.#files.get(path);
    if (tree === undefined) return missing;
    return address === undefined
      ? this.resolve(tree, depth + 1)
      : this.#member(tree, address, depth);
  }

  /** undefined: it is not there, or lies outside, or is a program. */
  #read(path: string): Tree | undefined {
    if (!/\.(ya?ml|json)$/.test(path)) return undefined;
    const text = this.#folder.read(path);
    return text === null ? undefined : readTree(text, path);
  }
}

function variable(name: string, address: string, text: string): Known {
  const isName = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && address !== "";
  return isName ? new OpenText([{ name, fallback: null }]) : new Unknown(`\${${text}}`);
}

function ownMember(value: Tree | undefined, part: string): Tree | undefined {
  if (Array.isArray(value)) return value[Number(part)];
  return isTreeMap(value) && Object.hasOwn(value, part) ? value[part] : undefined;
}

function knownMember(value: Known, parts: readonly string[]): Found {
  let found: Known | undefined = value;
  for (const part of parts) {
    if (Array.isArray(found)) found = found[Number(part)];
    else found = isKnownMap(found) && Object.hasOwn(found, part) ? found[part] : undefined;
    if (found === undefined) return missing;
  }
  return found;
}

/** `functions`, which may be a list of mappings, as those of several files; null: neither. */
export function mergedMaps(value: Known): KnownMap | null {
  if (isKnownMap(value)) return value;
  if (!Array.isArray(value)) return null;
  const maps = value.filter(isKnownMap);
  return maps.length === 0 ? null : Object.assign({}, ...maps);
}
