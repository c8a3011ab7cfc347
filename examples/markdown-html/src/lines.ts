/** Columns of white space at the beginning; a tab reaches to the next multiple of four. */
export function indentColumns(line: string, startColumn = 0): number {
  let column = startColumn;
  for (const char of line) {
    if (char === " ") column += 1;
    else if (char === "\t") column += 4 - (column % 4);
    else break;
  }
  return column - startColumn;
}

/** The line without up to `columns` columns of white space at its beginning; what is left of that becomes blanks. */
export function dropColumns(line: string, columns: number, startColumn = 0): string {
  const left = Math.max(0, indentColumns(line, startColumn) - columns);
  return " ".repeat(left) + line.replace(/^[ \t]+/, "");
}

export function isBlank(line: string): boolean {
  return /^[ \t]*$/.test(line);
}

const rule = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const heading = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/;
const fence = /^( {0,3})(?:(`{3,})([^`]*)|(~{3,})(.*))$/;
const marker = /^( {0,3})(?:([-+*])|(\d{1,9})([.)]))(?=[ \t]|$)/;

export function isRule(line: string): boolean {
  return rule.test(line);
}

export function matchHeading(line: string): { level: number; text: string } | null {
  const match = heading.exec(line);
  if (match === null) return null;
  const text = (match[2] ?? "").trim().replace(/(^|[ \t])#+$/, "");
  return { level: (match[1] as string).length, text: text.trim() };
}

export interface Fence {
  indent: number;
  char: string;
  length: number;
  info: string;
}

export function matchFence(line: string): Fence | null {
  const match = fence.exec(line);
  if (match === null) return null;
  const row = (match[2] ?? match[4]) as string;
  return {
    indent: (match[1] as string).length,
    char: row[0] as string,
    length: row.length,
    info: (match[3] ?? match[5] ?? "").trim(),
  };
}

export function closesFence(line: string, fence: Fence): boolean {
  const row = /^ {0,3}(`+|~+)[ \t]*$/.exec(line)?.[1];
  return row !== undefined && row[0] === fence.char && row.length >= fence.length;
}

export interface Marker {
  /** `-`, `+`, `*`, `.` or `)`: items of one list share it. */
  type: string;
  /** Number of an ordered item. */
  start: number | null;
  /** Column where the item's content begins: lines of the item are indented as much. */
  contentColumn: number;
  /** What follows the marker, without the white space that belongs to it. */
  rest: string;
}

export function matchMarker(line: string): Marker | null {
  if (isRule(line)) return null;
  const match = marker.exec(line);
  if (match === null) return null;
  const width = match[0].length;
  const after = line.slice(width);
  const blanks = indentColumns(after, width);
  // Five and more: one belongs to the marker, the rest makes the content indented code.
  const own = isBlank(after) || blanks > 4 ? 1 : blanks;
  return {
    type: (match[2] ?? match[4]) as string,
    start: match[3] === undefined ? null : Number(match[3]),
    contentColumn: width + own,
    rest: isBlank(after) ? "" : dropColumns(after, own, width),
  };
}

export function isQuote(line: string): boolean {
  return /^ {0,3}>/.test(line);
}

/** Without `>` and the one blank after it. */
export function dropQuoteMark(line: string): string {
  const width = line.indexOf(">") + 1;
  return dropColumns(line.slice(width), 1, width);
}

/** Whether a line ends a paragraph although no blank line stands between. */
export function interruptsParagraph(line: string): boolean {
  if (isRule(line) || isQuote(line) || matchHeading(line) || matchFence(line)) return true;
  const item = matchMarker(line);
  return item !== null && item.rest !== "" && (item.start === null || item.start === 1);
}
