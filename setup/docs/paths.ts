import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Fault } from "./links.ts";
import type { Page } from "./markdown.ts";

/** Between backticks: names that begin like a folder of the repository and are something else. */
const elsewhere = new Set([
  "bench/results/<date>.json", // where it was run
]);

const PAGE = /(?<![\w/.-])docs\/[\w/-]+\.md\b/g;

/** Paths between backticks that begin with a folder of the repository and do not exist, and pages that are named without them. `*`, `<name>` and `...` stand for anything. */
export function pathFaults(pages: readonly Page[], root: string): Fault[] {
  const entries = readdirSync(root, { withFileTypes: true });
  const folders = new Set(entries.filter((one) => one.isDirectory()).map(({ name }) => name));
  const named = pages.flatMap(({ path: of, paragraphs }) =>
    paragraphs.flatMap(({ text, line }) =>
      [...text.matchAll(PAGE)]
        .filter(([path]) => !existsSync(join(root, path)))
        .map(([path]) => `${of}:${line}: no such page: ${path}`),
    ),
  );
  const spelt = pages.flatMap((page) =>
    page.spans.flatMap(({ text, line }) => {
      const path = /^([\w.-]+)(\/[\w.*<>-]+)*\/?(?=:\d+$|$)/.exec(text)?.[0] ?? "";
      if (!path.includes("/") || path.startsWith(".") || !folders.has(path.split("/")[0] as string))
        return [];
      if (elsewhere.has(path) || isThere(root, path)) return [];
      if (isThere(join(root, dirname(page.path)), path)) return [];
      return [`${page.path}:${line}: no such file or folder: ${path}`];
    }),
  );
  return [...new Set([...named, ...spelt])];
}

function isThere(root: string, path: string): boolean {
  return existsBelow(root, path.replace(/\/$/, "").split("/"));
}

function existsBelow(folder: string, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return true;
  if (!/[*<]|\.\.\./.test(first)) {
    const path = join(folder, first);
    return existsSync(path) && existsBelow(path, rest);
  }
  if (first === "**") return existsSync(folder);
  const source = first.replace(/[.+]/g, "\\$&").replace(/\*|<[^>]*>|(\\\.){3}/g, ".*");
  const pattern = new RegExp(`^${source}$`);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return false;
  return readdirSync(folder).some(
    (name) => pattern.test(name) && existsBelow(join(folder, name), rest),
  );
}
