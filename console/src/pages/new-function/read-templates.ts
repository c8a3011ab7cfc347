import type { CreateFunction } from "@isola/api/functions";
import type { Invoke } from "@isola/api/invocations";
import type { Draft } from "../../settings/draft.ts";

export interface Template {
  /** `hello-js` */
  id: string;
  /** `hello`: what there may be in several languages. */
  kind: string;
  title: string;
  description: string;
  language: Language;
  settings: Draft & Pick<CreateFunction, "runtime">;
  /** A first call that shows what it does. */
  try: Invoke;
  /** Of the package: what says something about the template is not among them. */
  files: Record<string, string>;
}

export const languages = ["JavaScript", "TypeScript", "Python"] as const;
export type Language = (typeof languages)[number];

/** `texts`: of the files of `templates/` by their path, `.../hello-js/index.mjs`. In the order of `kinds`, the first language first. */
export function readTemplates(texts: Record<string, string>, kinds: readonly string[]): Template[] {
  const folders = new Map<string, Record<string, string>>();
  for (const [path, text] of Object.entries(texts)) {
    const [folder, file] = path.split("/").slice(-2) as [string, string];
    folders.set(folder, { ...folders.get(folder), [file]: text });
  }
  const found = [...folders].map(([id, files]) => readTemplate(id, files));
  const rank = ({ language, kind }: Template) =>
    languages.indexOf(language) * kinds.length + kinds.indexOf(kind);
  return found.sort((a, b) => rank(a) - rank(b));
}

function readTemplate(id: string, all: Record<string, string>): Template {
  const { "template.json": told = "{}", "isola.yaml": _, ".isolaignore": left = "", ...rest } = all;
  const leftOut = new Set(left.split("\n"));
  const files = Object.entries(rest).filter(([name]) => !leftOut.has(name));
  return {
    ...(JSON.parse(told) as Omit<Template, "id" | "kind" | "files">),
    id,
    kind: id.replace(/-[a-z]+$/, ""),
    files: Object.fromEntries(files),
  };
}
