import { BlockReader } from "./block-reader.ts";
import { escapeHtml, unescapeMarkdown } from "./escape.ts";
import { renderInlines } from "./inlines.ts";

export type Block =
  | { kind: "paragraph"; text: string }
  | { kind: "heading"; level: number; text: string }
  | { kind: "code"; info: string; text: string }
  | { kind: "rule" }
  | { kind: "quote"; blocks: Block[] }
  | { kind: "list"; start: number | null; isTight: boolean; items: Block[][] };

/** HTML of a Markdown document. No tag or attribute of the source reaches it: raw HTML becomes text. */
export function renderMarkdown(source: string): string {
  const lines = source
    .replace(/^\ufeff/, "")
    .replaceAll("\0", "\ufffd")
    .replace(/(?:\r\n|\r|\n)$/, "")
    .split(/\r\n|\r|\n/);
  return renderBlocks(new BlockReader(lines, 0).read(), false);
}

function renderBlocks(blocks: Block[], isTight: boolean): string {
  return blocks.map((block) => renderBlock(block, isTight)).join("");
}

/** `isTight`: paragraphs go without their tags. */
function renderBlock(block: Block, isTight: boolean): string {
  switch (block.kind) {
    case "paragraph": {
      const html = renderInlines(block.text);
      return isTight ? `${html}\n` : `<p>${html}</p>\n`;
    }
    case "heading":
      return `<h${block.level}>${renderInlines(block.text)}</h${block.level}>\n`;
    case "code": {
      const language = unescapeMarkdown(block.info).split(/\s/)[0] as string;
      const attribute = language === "" ? "" : ` class="language-${escapeHtml(language)}"`;
      return `<pre><code${attribute}>${escapeHtml(block.text)}</code></pre>\n`;
    }
    case "rule":
      return "<hr />\n";
    case "quote":
      return `<blockquote>\n${renderBlocks(block.blocks, false)}</blockquote>\n`;
    case "list":
      return renderList(block);
  }
}

function renderList(list: Extract<Block, { kind: "list" }>): string {
  const tag = list.start === null ? "ul" : "ol";
  const start = list.start === null || list.start === 1 ? "" : ` start="${list.start}"`;
  const items = list.items.map((blocks) => `<li>${renderItem(blocks, list.isTight)}</li>\n`);
  return `<${tag}${start}>\n${items.join("")}</${tag}>\n`;
}

function renderItem(blocks: Block[], isTight: boolean): string {
  const html = renderBlocks(blocks, isTight);
  const startsWithText = isTight && blocks[0]?.kind === "paragraph";
  const endsWithText = isTight && blocks.at(-1)?.kind === "paragraph";
  const opened = blocks.length === 0 || startsWithText ? html : `\n${html}`;
  return endsWithText ? opened.slice(0, -1) : opened;
}
