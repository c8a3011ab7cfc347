import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CreateFunction } from "@isola/api/functions";
import type { Invoke } from "@isola/api/invocations";

/** A function to begin with: a folder of `templates/`, of which `template.json` tells this much. */
export interface Template {
  /** The folder's name: `hello-js`. */
  id: string;
  /** `hello`: what there may be in several languages. */
  kind: string;
  title: string;
  description: string;
  language: Language;
  /** As they stand in its isola.yaml. */
  settings: Partial<CreateFunction> & Pick<CreateFunction, "runtime" | "handler">;
  /** A first call that shows what it does. */
  try: Invoke;
}

export const languages = ["JavaScript", "TypeScript", "Python"] as const;
export type Language = (typeof languages)[number];

/** Tells about the template; no part of what a person begins with. */
export const TEMPLATE_FILE = "template.json";
const folder = fileURLToPath(new URL("../../../templates", import.meta.url));

/** All there are: by language, in each in the order of `templates/order.json`. */
export function readTemplates(): Template[] {
  const order = readJson("order.json") as string[];
  const found = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => readTemplate(name));
  const rank = ({ language, kind }: Template) =>
    languages.indexOf(language) * order.length + order.indexOf(kind);
  return found.sort((a, b) => rank(a) - rank(b));
}

/** The text of each of its files by name, without `template.json`. */
export function readTemplateFiles(id: string): Map<string, string> {
  const names = readdirSync(join(folder, id), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== TEMPLATE_FILE)
    .map(({ name }) => name)
    .sort();
  return new Map(names.map((name) => [name, readFileSync(join(folder, id, name), "utf8")]));
}

function readTemplate(id: string): Template {
  const told = readJson(join(id, TEMPLATE_FILE)) as Omit<Template, "id" | "kind">;
  return { id, kind: id.replace(/-[a-z]+$/, ""), ...told };
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(folder, path), "utf8"));
}
