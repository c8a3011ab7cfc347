import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sourceFiles } from "../source-files.mjs";

/** A fenced block. `line` is that of its first fence, from 1. */
export interface Block {
  language: string;
  /** What stands behind the language: `no-run: ...`, `file=hello/index.mjs`. */
  notes: string;
  text: string;
  line: number;
  /** Its second fence is there. */
  isClosed: boolean;
}

/** A piece of the page's text and the line where it begins. */
export interface Piece {
  text: string;
  line: number;
}

export interface Page {
  /** Below the root of the repository, divided by `/`. */
  path: string;
  blocks: Block[];
  /** Targets of links and pictures, as written. */
  links: Piece[];
  /** What stands between backticks outside of blocks. */
  spans: Piece[];
  /** Paragraphs, tables and headings, without blocks. */
  paragraphs: Piece[];
  /** What `#...` of a link may name, by GitHub's rules. */
  anchors: Set<string>;
}

/** Every Markdown page of the repository but those that are input of an example. */
export function pagesOf(root: string): Page[] {
  return sourceFiles(root, [".md"], ["."])
    .filter((path) => !path.startsWith(".") && !path.includes("/input/"))
    .map((path) => parsePage(path, readFileSync(join(root, path), "utf8")));
}

export function parsePage(path: string, text: string): Page {
  const { blocks, paragraphs } = divide(text);
  const spans = paragraphs.flatMap(spansOf);
  const links = paragraphs.flatMap(linksOf);
  return { path, blocks, paragraphs, spans, links, anchors: anchorsOf(paragraphs) };
}

const FENCE = /^(\s*)(`{3,}|~{3,})\s*(\S*)\s*(.*?)\s*$/;

function divide(text: string): Pick<Page, "blocks" | "paragraphs"> {
  const blocks: Block[] = [];
  const paragraphs: Piece[] = [];
  let open: { block: Block; mark: string; indent: string } | null = null;
  let isParagraph = false;
  text.split("\n").forEach((content, index) => {
    const fence = FENCE.exec(content);
    if (open !== null) {
      if (fence?.[2]?.startsWith(open.mark) && fence[3] === "") {
        open.block.isClosed = true;
        open = null;
      } else open.block.text += `${content.slice(commonIndent(content, open.indent))}\n`;
      return;
    }
    if (fence !== null) {
      const [, indent = "", mark = "", language = "", notes = ""] = fence;
      open = {
        block: { language, notes, text: "", line: index + 1, isClosed: false },
        mark,
        indent,
      };
      blocks.push(open.block);
      isParagraph = false;
      return;
    }
    const isBlank = content.trim() === "";
    if (!isBlank && isParagraph && !content.startsWith("#")) {
      (paragraphs.at(-1) as Piece).text += `\n${content}`;
    } else if (!isBlank) paragraphs.push({ text: content, line: index + 1 });
    isParagraph = !isBlank && !content.startsWith("#");
  });
  return { blocks, paragraphs };
}

function commonIndent(line: string, indent: string): number {
  return line.startsWith(indent) ? indent.length : 0;
}

const SPAN = /(?<!`)(`+)(?!`)([\s\S]*?[^`])\1(?!`)/g;

function spansOf(paragraph: Piece): Piece[] {
  return [...paragraph.text.matchAll(SPAN)].map((match) => ({
    text: (match[2] as string).trim(),
    line: lineAt(paragraph, match.index),
  }));
}

const LINKS = [
  /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g,
  /^\[[^\]]+\]:\s*(\S+)/gm,
  /<(?:a|img)\b[^>]*?\b(?:href|src)="([^"]+)"/g,
];

function linksOf(paragraph: Piece): Piece[] {
  const bare = paragraph.text.replace(SPAN, (span) => span.replace(/[^\n]/g, " "));
  return LINKS.flatMap((pattern) => [...bare.matchAll(pattern)]).map((match) => ({
    text: match[1] as string,
    line: lineAt(paragraph, match.index),
  }));
}

function lineAt(piece: Piece, offset: number): number {
  return piece.line + piece.text.slice(0, offset).split("\n").length - 1;
}

function anchorsOf(paragraphs: readonly Piece[]): Set<string> {
  const anchors = new Set<string>();
  for (const { text } of paragraphs) {
    for (const match of text.matchAll(/<a (?:name|id)="([^"]+)"/g)) anchors.add(match[1] as string);
    const title = /^#{1,6}\s+(.*?)\s*#*$/.exec(text)?.[1];
    if (title === undefined) continue;
    const slug = slugOf(title);
    let unused = slug;
    for (let n = 1; anchors.has(unused); n++) unused = `${slug}-${n}`;
    anchors.add(unused);
  }
  return anchors;
}

function slugOf(title: string): string {
  return title
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
    .replace(/\s/g, "-");
}
