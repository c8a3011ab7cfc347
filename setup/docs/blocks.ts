import { existsSync } from "node:fs";
import { join, normalize } from "node:path";
import type { Fault } from "./links.ts";
import type { Block, Page } from "./markdown.ts";

/** A step of a page: a file that a block shows whole, or commands and, where it is shown, what they print. */
export type Step =
  | { kind: "file"; path: string; text: string; line: number }
  | { kind: "commands"; text: string; exitCode: number; line: number; output: Block | null };

const FILE = /^file=(\S+)$/;
const EXIT = /^exit=(\d{1,3})$/;
const NOT_RUN = /^no-run: (.{8,})$/;

/** What is done for the page, in its order. */
export function stepsOf(page: Page): Step[] {
  return page.blocks.flatMap((block, at): Step[] => {
    const { text, line, notes } = block;
    const path = FILE.exec(notes)?.[1];
    if (path !== undefined) return [{ kind: "file", path, text, line }];
    if (!isRun(block)) return [];
    const next = page.blocks[at + 1];
    const output = next?.language === "output" ? next : null;
    return [{ kind: "commands", text, exitCode: Number(EXIT.exec(notes)?.[1] ?? 0), line, output }];
  });
}

function isRun({ language, notes }: Block): boolean {
  return language === "sh" && (notes === "" || EXIT.test(notes));
}

const otherShells = ["bash", "shell", "console", "zsh", "shell-session"];
/** A line of two columns is a table, whatever it begins with. */
const COMMAND =
  /^\s*(\$ |(?!.*\S {2,}[^\s#])(sudo|npm|npx|isola|curl|node|git|docker|kubectl|apt-get|mkdir|cat|python3|faas-cli|pip) (?!\|))/m;

/** Blocks whose mark does not say whether they are run, or says what is not so. CONTRIBUTING.md has the rules. */
export function blockFaults(page: Page, root: string): Fault[] {
  const fenced = page.blocks.flatMap((block, at) => {
    const problem = problemOf(page, at, root);
    return problem === null ? [] : [`${page.path}:${block.line}: ${problem}`];
  });
  const indented = page.paragraphs
    .filter(({ text }) => /^(?: {4}|\t)/.test(text) && COMMAND.test(text))
    .map(({ line }) => `${page.path}:${line}: commands stand between fences, not indented`);
  return [...fenced, ...indented];
}

function problemOf(page: Page, at: number, root: string): string | null {
  const { language, notes, text, line } = page.blocks[at] as Block;
  if (!(page.blocks[at] as Block).isClosed) return "the block is never closed";
  if (language === "") return "the block names no language; `text` is for what is none";
  if (otherShells.includes(language)) return `commands are marked \`sh\`, not \`${language}\``;
  if (language === "sh") return problemOfCommands(notes, root);
  if (language === "output") {
    const before = page.blocks[at - 1];
    return before && isRun(before) && isNext(before, line)
      ? null
      : "`output` stands directly behind commands that are run";
  }
  if (language === "text" && COMMAND.test(text)) return "commands are marked `sh`, not `text`";
  if (notes === "") return null;
  const path = FILE.exec(notes)?.[1];
  if (path === undefined) return `expected nothing or \`file=<path>\` behind ${language}: ${notes}`;
  const isInside = !path.startsWith("/") && normalize(path) === path && !path.startsWith("..");
  if (!isInside) return `expected a path below the page's folder, given: ${path}`;
  return isShown(page, at, path) ? null : `the reader is not told that this is the file ${path}`;
}

function problemOfCommands(notes: string, root: string): string | null {
  if (notes === "" || EXIT.test(notes)) return null;
  const reason = NOT_RUN.exec(notes)?.[1];
  if (reason === undefined) return `expected \`no-run: <why>\` or \`exit=<code>\`, given: ${notes}`;
  const missing = (reason.match(/[\w./-]+\.test\.ts\b/g) ?? []).find(
    (path) => !existsSync(join(root, path)),
  );
  return missing === undefined ? null : `no such test: ${missing}`;
}

function isNext(before: Block, line: number): boolean {
  return line - (before.line + before.text.split("\n").length) <= 2;
}

/** In the first line of the block or in the paragraph before it. */
function isShown(page: Page, at: number, path: string): boolean {
  const { text, line } = page.blocks[at] as Block;
  if (text.split("\n")[0]?.includes(path)) return true;
  const before = page.paragraphs.findLast((paragraph) => paragraph.line < line);
  return before?.text.includes(path) ?? false;
}
