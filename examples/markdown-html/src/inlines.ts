import { applyEmphasis, delimiterRun, type Piece } from "./emphasis.ts";
import { decodeEntity, escapeHtml, safeAddress, unescapeMarkdown } from "./escape.ts";

const asciiPunctuation = /^[!-/:-@[-`{-~]$/;

/** HTML of one run of inline Markdown: code spans, links, images, autolinks, emphasis, breaks. Raw HTML becomes text. */
export function renderInlines(source: string): string {
  return new InlineScanner(source).render();
}

interface Bracket {
  piece: number;
  isImage: boolean;
  /** Position after the bracket. */
  at: number;
  /** Links do not nest: brackets before a link are dead. */
  isActive: boolean;
}

/** One pass from left to right; `pieces` hold finished HTML and runs of `*` and `_` whose meaning is decided at the end. */
class InlineScanner {
  #source: string;
  #at = 0;
  #pieces: Piece[] = [];
  #brackets: Bracket[] = [];
  /** Lengths of backtick runs known to have no end beyond this point, so that a long row of them costs one search each. */
  #unclosedTicks = new Set<number>();

  constructor(source: string) {
    this.#source = source;
  }

  render(): string {
    while (this.#at < this.#source.length) this.#step(this.#source[this.#at] as string);
    applyEmphasis(this.#pieces);
    return this.#pieces.map((piece) => piece.html).join("");
  }

  #step(char: string): void {
    switch (char) {
      case "\\":
        return this.#backslash();
      case "`":
        return this.#codeSpan();
      case "*":
      case "_":
        return this.#run(char);
      case "[":
        return this.#open(false);
      case "!":
        return this.#source[this.#at + 1] === "[" ? this.#open(true) : this.#text(char);
      case "]":
        return this.#close();
      case "<":
        return this.#autolink();
      case "&":
        return this.#entity();
      case "\n":
        return this.#lineBreak();
      default:
        return this.#plain();
    }
  }

  #html(html: string, length: number): void {
    this.#pieces.push({ html });
    this.#at += length;
  }

  #text(text: string): void {
    this.#html(escapeHtml(text), text.length);
  }

  #plain(): void {
    const rest = /[^\\`*_[!\]<&\n]+/y;
    rest.lastIndex = this.#at;
    const [text] = rest.exec(this.#source) as RegExpExecArray;
    const isBeforeBreak = this.#source[this.#at + text.length] === "\n";
    const isHardBreak = isBeforeBreak && text.endsWith("  ");
    const kept = isBeforeBreak ? text.replace(/(?<![ \t])[ \t]+$/, "") : text;
    this.#html(escapeHtml(kept) + (isHardBreak ? "<br />" : ""), text.length);
  }

  #backslash(): void {
    const next = this.#source[this.#at + 1] ?? "";
    if (next === "\n") return this.#html("<br />", 1);
    if (asciiPunctuation.test(next)) return this.#html(escapeHtml(next), 2);
    this.#text("\\");
  }

  #lineBreak(): void {
    const blanks = /\n[ \t]*/y;
    blanks.lastIndex = this.#at;
    this.#html("\n", (blanks.exec(this.#source) as RegExpExecArray)[0].length);
  }

  #codeSpan(): void {
    const ticks = /`+/g;
    ticks.lastIndex = this.#at;
    const open = (ticks.exec(this.#source) as RegExpExecArray)[0].length;
    const start = this.#at + open;
    let close = this.#unclosedTicks.has(open) ? null : ticks.exec(this.#source);
    while (close !== null && close[0].length !== open) close = ticks.exec(this.#source);
    if (close === null) {
      this.#unclosedTicks.add(open);
      return this.#text("`".repeat(open));
    }
    let code = this.#source.slice(start, close.index).replaceAll("\n", " ");
    if (code.startsWith(" ") && code.endsWith(" ") && /[^ ]/.test(code)) code = code.slice(1, -1);
    this.#html(`<code>${escapeHtml(code)}</code>`, close.index + open - this.#at);
  }

  #run(char: string): void {
    const run = delimiterRun(this.#source, this.#at, char);
    this.#pieces.push({ html: char.repeat(run.length), run });
    this.#at += run.length;
  }

  #entity(): void {
    const entity = /&[#A-Za-z0-9]{1,10};/y;
    entity.lastIndex = this.#at;
    const found = entity.exec(this.#source)?.[0];
    const char = found === undefined ? null : decodeEntity(found);
    if (found === undefined || char === null) return this.#text("&");
    this.#html(escapeHtml(char), found.length);
  }

  #autolink(): void {
    const link =
      /<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*|[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]+(?:\.[\w-]+)*)>/y;
    link.lastIndex = this.#at;
    const match = link.exec(this.#source);
    if (match === null) return this.#text("<");
    const target = match[1] as string;
    const isMail = !/^[A-Za-z][A-Za-z0-9+.-]{1,31}:/.test(target);
    const address = safeAddress(isMail ? `mailto:${target}` : target);
    const text = escapeHtml(target);
    this.#html(
      address === "" ? `&lt;${text}&gt;` : `<a href="${address}">${text}</a>`,
      match[0].length,
    );
  }

  #open(isImage: boolean): void {
    const text = isImage ? "![" : "[";
    this.#brackets.push({
      piece: this.#pieces.length,
      isImage,
      at: this.#at + text.length,
      isActive: true,
    });
    this.#text(text);
  }

  #close(): void {
    const bracket = this.#brackets.pop();
    if (bracket === undefined || !bracket.isActive) return this.#text("]");
    const target = linkTarget(this.#source, this.#at + 1);
    if (target === null) return this.#text("]");
    const title = target.title === null ? "" : ` title="${escapeHtml(target.title)}"`;
    const address = safeAddress(target.address);
    const inside = this.#pieces.splice(bracket.piece);
    inside.shift();
    applyEmphasis(inside);
    const html = inside.map((piece) => piece.html).join("");
    const made = bracket.isImage
      ? `<img src="${address}" alt="${plainText(html)}"${title} />`
      : `<a href="${address}"${title}>${html}</a>`;
    if (!bracket.isImage) {
      for (const outer of this.#brackets) if (!outer.isImage) outer.isActive = false;
    }
    this.#html(made, target.end - this.#at);
  }
}

/** What HTML made here says without its tags; an image says its alternative text. Stays escaped. */
function plainText(html: string): string {
  return html.replace(/<img src="[^"]*" alt="([^"]*)"[^>]*>/g, "$1").replace(/<[^>]*>/g, "");
}

interface LinkTarget {
  address: string;
  title: string | null;
  /** Position after the closing parenthesis. */
  end: number;
}

const nestingMax = 32;

/** Reads `(address "title")` at `start`; null where there is none. */
function linkTarget(source: string, start: number): LinkTarget | null {
  const opening = /\([ \t]*\n?[ \t]*/y;
  opening.lastIndex = start;
  if (opening.exec(source) === null) return null;
  const address = destination(source, opening.lastIndex);
  if (address === null) return null;
  const rest =
    /(?:[ \t\n]+(?:"((?:[^"\\]|\\[^])*)"|'((?:[^'\\]|\\[^])*)'|\(((?:[^()\\]|\\[^])*)\)))?[ \t]*\n?[ \t]*\)/y;
  rest.lastIndex = address.end;
  const match = rest.exec(source);
  if (match === null) return null;
  const title = match[1] ?? match[2] ?? match[3] ?? null;
  return {
    address: unescapeMarkdown(address.text),
    title: title === null ? null : unescapeMarkdown(title),
    end: rest.lastIndex,
  };
}

/** `<in angles>`, or without blanks and with balanced parentheses. */
function destination(source: string, start: number): { text: string; end: number } | null {
  if (source[start] === "<") {
    const angles = /<((?:[^<>\n\\]|\\[^\n])*)>/y;
    angles.lastIndex = start;
    const match = angles.exec(source);
    return match && { text: match[1] as string, end: angles.lastIndex };
  }
  let depth = 0;
  let at = start;
  for (; at < source.length; at++) {
    const char = source[at] as string;
    if (char <= " ") break;
    if (char === "\\" && asciiPunctuation.test(source[at + 1] ?? "")) at++;
    else if (char === "(" && ++depth > nestingMax) return null;
    else if (char === ")" && --depth < 0) break;
  }
  return depth > 0 ? null : { text: source.slice(start, at), end: at };
}
