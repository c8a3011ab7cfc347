import {
  closesFence,
  dropQuoteMark,
  type Fence,
  indentColumns,
  interruptsParagraph,
  isBlank,
  isQuote,
  isRule,
  matchFence,
  matchHeading,
  matchMarker,
} from "./lines.ts";

/**
 * Follows the lines of a quote or list item as they are read and knows whether a paragraph is open at their end, however deep: such a
 * paragraph also takes a line that lacks the container's marks (CommonMark: lazy continuation).
 */
export class OpenParagraph {
  #isOpen = false;
  #fence: Fence | null = null;

  /** Takes note of a line of the container, without its marks, and returns it. */
  see(line: string): string {
    if (this.#fence !== null) {
      if (closesFence(innermost(line), this.#fence)) this.#fence = null;
      this.#isOpen = false;
      return line;
    }
    const text = innermost(line);
    this.#fence = matchFence(text);
    const isCode = !this.#isOpen && indentColumns(text) >= 4;
    const isOther = isBlank(text) || isRule(text) || matchHeading(text) !== null || isCode;
    this.#isOpen = this.#fence === null && !isOther;
    return line;
  }

  takes(line: string): boolean {
    const startsBlock = indentColumns(line) < 4 && interruptsParagraph(line);
    return this.#isOpen && !isBlank(line) && !startsBlock;
  }

  /** The line that `takes` accepted, so that it reads as text inside: `===` may not become an underline, and an indented `- x` no item. */
  lazy(line: string): string {
    const text = line.replace(/^[ \t]+/, "");
    if (/^=+[ \t]*$/.test(text)) return `\\${text}`;
    return indentColumns(line) >= 4 ? `    ${text}` : text;
  }
}

const marksMax = 32;

/** What is left of a line when the marks of the containers that begin on it are taken off. */
function innermost(line: string): string {
  let text = line;
  for (let i = 0; i < marksMax; i++) {
    const marker = indentColumns(text) < 4 ? matchMarker(text) : null;
    if (marker !== null) text = marker.rest;
    else if (isQuote(text)) text = dropQuoteMark(text);
    else break;
  }
  return text;
}
