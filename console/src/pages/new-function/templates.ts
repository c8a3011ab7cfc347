import kinds from "../../../../templates/order.json";
import { type Template, readTemplates } from "./read-templates.ts";

const texts = import.meta.glob<string>(
  [
    "../../../../templates/*/*",
    "!../../../../templates/*/README.md",
    "!../../../../templates/*/isola.yaml",
    "!../../../../templates/*/tsconfig.json",
  ],
  // With names that begin with a point: `.isolaignore` says what is no part of the package.
  { query: "?raw", import: "default", eager: true, exhaustive: true },
);

/** By language, in each from the simplest on. */
export const templates: readonly Template[] = readTemplates(texts, kinds);
