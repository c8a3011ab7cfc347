import type { Known, KnownMap } from "../known-values.ts";
import { plainOf } from "../known-values.ts";
import { OpenText, Unknown, type Variable, joined, partsOf, variableName } from "../open-text.ts";
import { type Tree, type TreeMap, isTreeMap } from "../yaml-tree.ts";

const pseudo = [
  "AWS::Region",
  "AWS::AccountId",
  "AWS::StackName",
  "AWS::Partition",
  "AWS::URLSuffix",
  "AWS::StackId",
];
const partitions: Record<string, string> = {
  "AWS::Partition": "aws",
  "AWS::URLSuffix": "amazonaws.com",
};

/** Looks up `Ref`, `Fn::Sub` and `Fn::Join` as far as they are of parameters, which become variables; all else is `Unknown`. */
export class TemplateValues {
  readonly #parameters: TreeMap;

  constructor(parameters: Tree | undefined) {
    this.#parameters = isTreeMap(parameters) ? parameters : {};
  }

  resolve(value: Tree | undefined): Known {
    if (Array.isArray(value)) return value.map((one) => this.resolve(one));
    if (!isTreeMap(value)) return value ?? null;
    const [[name, argument] = ["", null], ...others] = Object.entries(value);
    if (others.length === 0 && (name === "Ref" || name.startsWith("Fn::")))
      return this.#intrinsic(name, argument, value);
    const map: KnownMap = {};
    for (const [key, one] of Object.entries(value)) map[key] = this.resolve(one);
    return map;
  }

  #intrinsic(name: string, argument: Tree, whole: TreeMap): Known {
    const unknown = new Unknown(shown(whole));
    if (name === "Ref" && typeof argument === "string") {
      const part = this.#reference(argument);
      return part === null ? unknown : joined([part]);
    }
    if (name === "Fn::Sub") return this.#sub(argument) ?? unknown;
    if (name === "Fn::Join") return this.#join(argument) ?? unknown;
    return unknown;
  }

  /** A parameter, or what AWS knows; null: a resource. */
  #reference(name: string): string | Variable | null {
    if (pseudo.includes(name)) {
      const fallback = partitions[name] ?? null;
      return fallback ?? { name: variableName(name), fallback: null };
    }
    const parameter = Object.hasOwn(this.#parameters, name) ? this.#parameters[name] : undefined;
    if (!isTreeMap(parameter) || plainOf(parameter.Type as Known)?.startsWith("AWS::SSM"))
      return null;
    const isSecret = parameter.NoEcho === true || parameter.NoEcho === "true";
    const fallback = isSecret ? null : plainOf(parameter.Default as Known);
    return { name: variableName(name), fallback };
  }

  /** `text ${Name} ${!Literal}`, or with own names in a list of two. */
  #sub(argument: Tree): Known | null {
    const [text, given] = Array.isArray(argument) ? argument : [argument, null];
    if (typeof text !== "string") return null;
    const own = isTreeMap(given) ? given : {};
    const parts: (string | Variable)[] = [];
    for (const piece of text.split(/(\$\{[^}]*\})/)) {
      const name = /^\$\{\s*([^}]*?)\s*\}$/.exec(piece)?.[1];
      if (name === undefined) parts.push(piece);
      else if (name.startsWith("!")) parts.push(`\${${name.slice(1)}}`);
      else {
        const value = Object.hasOwn(own, name) ? this.#textOf(own[name]) : this.#reference(name);
        if (value === null) return null;
        parts.push(...(value instanceof OpenText ? value.parts : [value]));
      }
    }
    return joined(parts);
  }

  #join(argument: Tree): Known | null {
    const [delimiter, list] = Array.isArray(argument) ? argument : [];
    if (typeof delimiter !== "string" || !Array.isArray(list)) return null;
    const parts: (string | Variable)[] = [];
    for (const [at, one] of list.entries()) {
      const text = this.#textOf(one);
      if (text === null) return null;
      if (at > 0) parts.push(delimiter);
      parts.push(...partsOf(text));
    }
    return joined(parts);
  }

  #textOf(value: Tree | undefined): string | OpenText | null {
    const known = this.resolve(value);
    return known instanceof OpenText ? known : plainOf(known);
  }
}

/** `!Ref Table`, `!GetAtt Table.Arn`: as a person would write it. */
function shown(value: TreeMap): string {
  const [[name, argument] = ["", null]] = Object.entries(value);
  const short = `!${name.replace("Fn::", "")}`;
  if (typeof argument === "string") return `${short} ${argument}`;
  const isAttribute = name === "Fn::GetAtt" && Array.isArray(argument);
  return `${short} ${isAttribute ? argument.map((part) => plainOf(part as Known)).join(".") : JSON.stringify(argument)}`;
}
