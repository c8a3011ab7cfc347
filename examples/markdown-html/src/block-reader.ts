import type { Block } from "./blocks.ts";
import {
  closesFence,
  dropColumns,
  dropQuoteMark,
  indentColumns,
  interruptsParagraph,
  isBlank,
  isQuote,
  isRule,
  type Marker,
  matchFence,
  matchHeading,
  matchMarker,
} from "./lines.ts";
import { OpenParagraph } from "./open-paragraph.ts";

/** Quotes and lists inside each other; deeper ones are text. */
const depthMax = 16;

/** Reads the blocks of one container from its lines, which have lost the container's own marks. */
export class BlockReader {
  /** A blank line stands between two of the blocks: the list item they are in makes its list loose. */
  hasGap = false;
  #lines: string[];
  #depth: number;
  #at = 0;

  constructor(lines: string[], depth: number) {
    this.#lines = lines;
    this.#depth = depth;
  }

  read(): Block[] {
    const blocks: Block[] = [];
    let isAfterBlank = false;
    while (this.#at < this.#lines.length) {
      if (isBlank(this.#line())) {
        isAfterBlank = true;
        this.#at++;
        continue;
      }
      if (isAfterBlank && blocks.length > 0) this.hasGap = true;
      blocks.push(this.#block());
      // A list reads the blank lines at its end as well.
      isAfterBlank = isBlank(this.#lines[this.#at - 1] ?? "x");
    }
    return blocks;
  }

  #line(): string {
    return this.#lines[this.#at] as string;
  }

  #block(): Block {
    const line = this.#line();
    if (indentColumns(line) >= 4) return this.#indentedCode();
    if (isRule(line)) {
      this.#at++;
      return { kind: "rule" };
    }
    const heading = matchHeading(line);
    if (heading !== null) {
      this.#at++;
      return { kind: "heading", ...heading };
    }
    if (matchFence(line) !== null) return this.#fencedCode();
    if (this.#depth < depthMax) {
      if (isQuote(line)) return this.#quote();
      const marker = matchMarker(line);
      if (marker !== null) return this.#list(marker);
    }
    return this.#paragraph();
  }

  #indentedCode(): Block {
    const code: string[] = [];
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#line();
      if (!isBlank(line) && indentColumns(line) < 4) break;
      code.push(dropIndent(line, 4));
    }
    let blanks = 0;
    while (isBlank(code.at(-1) ?? "x")) {
      code.pop();
      blanks++;
    }
    this.#at -= blanks;
    return { kind: "code", info: "", text: `${code.join("\n")}\n` };
  }

  #fencedCode(): Block {
    const fence = matchFence(this.#line());
    if (fence === null) throw new Error("not at a fence");
    const code: string[] = [];
    this.#at++;
    while (this.#at < this.#lines.length) {
      const line = this.#line();
      this.#at++;
      if (closesFence(line, fence)) break;
      code.push(dropIndent(line, fence.indent));
    }
    const text = code.length === 0 ? "" : `${code.join("\n")}\n`;
    return { kind: "code", info: fence.info, text };
  }

  #quote(): Block {
    const inside: string[] = [];
    const open = new OpenParagraph();
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#line();
      if (isQuote(line)) inside.push(open.see(dropQuoteMark(line)));
      else if (open.takes(line)) inside.push(open.lazy(line));
      else break;
    }
    return { kind: "quote", blocks: new BlockReader(inside, this.#depth + 1).read() };
  }

  #list(first: Marker): Block {
    const items: Block[][] = [];
    let isTight = true;
    let marker: Marker | null = first;
    while (marker !== null && marker.type === first.type) {
      const lines = this.#itemLines(marker);
      const reader = new BlockReader(lines, this.#depth + 1);
      items.push(reader.read());
      const next = this.#at < this.#lines.length ? this.#line() : "";
      marker = isItem(next) ? matchMarker(next) : null;
      const isFollowed = marker !== null && marker.type === first.type;
      if (reader.hasGap || (isFollowed && isBlank(lines.at(-1) as string) && lines.length > 1)) {
        isTight = false;
      }
    }
    return { kind: "list", start: first.start, isTight, items };
  }

  /** Lines of one item and the blank lines after it. */
  #itemLines(marker: Marker): string[] {
    const open = new OpenParagraph();
    const lines = [open.see(marker.rest)];
    this.#at++;
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#line();
      if (isBlank(line)) lines.push(open.see(""));
      else if (lines.length === 2 && lines.every(isBlank)) break;
      else if (indentColumns(line) >= marker.contentColumn) {
        lines.push(open.see(dropColumns(line, marker.contentColumn)));
      } else if (isItem(line) || !open.takes(line)) break;
      else lines.push(open.lazy(line));
    }
    return lines;
  }

  #paragraph(): Block {
    const text = [this.#line().trimStart()];
    this.#at++;
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#line();
      if (isBlank(line)) break;
      const underline = /^ {0,3}(=+|-+)[ \t]*$/.exec(line)?.[1];
      if (underline !== undefined) {
        this.#at++;
        const level = underline.startsWith("=") ? 1 : 2;
        return { kind: "heading", level, text: text.join("\n").trimEnd() };
      }
      if (indentColumns(line) < 4 && interruptsParagraph(line)) break;
      text.push(line.replace(/^[ \t]+/, ""));
    }
    return { kind: "paragraph", text: text.join("\n").trimEnd() };
  }
}

function isItem(line: string): boolean {
  return indentColumns(line) < 4 && matchMarker(line) !== null;
}

/** Like `dropColumns`, but what is not dropped stays as it is, tabs too. */
function dropIndent(line: string, columns: number): string {
  const blanks = /^ */.exec(line)?.[0].length ?? 0;
  return blanks >= columns ? line.slice(columns) : dropColumns(line, columns);
}
