import { existsSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { Page } from "./markdown.ts";

/** Something wrong with a page, as `docs/cli.md:12: what`. */
export type Fault = string;

/** Links and pictures that lead nowhere: to no file of the repository, or to no heading of a page. */
export function linkFaults(pages: readonly Page[], root: string): Fault[] {
  const byPath = new Map(pages.map((page) => [page.path, page]));
  return pages.flatMap((page) =>
    page.links.flatMap(({ text, line }) => {
      const problem = problemOf(page, text, { byPath, root });
      return problem === null ? [] : [`${page.path}:${line}: ${problem}`];
    }),
  );
}

interface Places {
  byPath: ReadonlyMap<string, Page>;
  root: string;
}

function problemOf(page: Page, link: string, { byPath, root }: Places): string | null {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return null; // leaves the repository
  if (/%(?![0-9a-f]{2})/i.test(link)) return `the link ${link} has a wrong escape`;
  const path = targetOf(page, link);
  if (path.startsWith("..")) return `the link ${link} leaves the repository`;
  if (!existsSync(join(root, path))) return `the link ${link} leads to nothing: no ${path}`;
  const anchor = decoded(link.split("#")[1] ?? "");
  const target = byPath.get(path);
  if (anchor === "" || target === undefined || target.anchors.has(anchor)) return null;
  return `the link ${link} names a heading that ${path} does not have`;
}

/** As it is where it is no text in UTF-8, which then leads to nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function targetOf(page: Page, link: string): string {
  const path = decoded(link.split("#")[0] as string);
  return path === "" ? page.path : normalize(join(dirname(page.path), path)).replace(/\/$/, "");
}

/** Pages below `docs/` that nobody comes to by links from its index. A link to a folder shows all that is directly in it. */
export function unreachable(pages: readonly Page[], root: string): Fault[] {
  const byPath = new Map(pages.map((page) => [page.path, page]));
  const seen = new Set<string>();
  const rest = ["docs/README.md"];
  for (let path = rest.pop(); path !== undefined; path = rest.pop()) {
    const page = byPath.get(path);
    if (page === undefined || seen.has(path)) continue;
    seen.add(path);
    for (const { text } of page.links) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(text)) continue;
      const target = targetOf(page, text);
      const isFolder = existsSync(join(root, target)) && statSync(join(root, target)).isDirectory();
      if (!isFolder) rest.push(target);
      else rest.push(...[...byPath.keys()].filter((other) => dirname(other) === target));
    }
  }
  return pages
    .filter(({ path }) => path.startsWith("docs/") && !seen.has(path))
    .map(({ path }) => `${path}:1: no chain of links leads here from docs/README.md`);
}
