/** A piece of a string of serverless.yml: text, or what stands between `${` and its `}`. */
export type Piece = { text: string } | { expression: string };

/** `a-${self:b, 'c'}` -> text `a-`, expression `self:b, 'c'`. A `${` without its `}` is text, and so is `\${` without the backslash. */
export function piecesOf(source: string): Piece[] {
  const pieces: Piece[] = [];
  let text = "";
  for (let at = 0; at < source.length; ) {
    if (source.startsWith("\\${", at)) {
      text += "${";
      at += 3;
      continue;
    }
    const end = source.startsWith("${", at) ? closing(source, at + 2) : -1;
    if (end === -1) {
      text += source[at];
      at += 1;
      continue;
    }
    if (text !== "") pieces.push({ text });
    text = "";
    pieces.push({ expression: source.slice(at + 2, end) });
    at = end + 1;
  }
  if (text !== "") pieces.push({ text });
  return pieces;
}

/** Where the `}` of what begins at `from` stands; -1: nowhere. */
function closing(source: string, from: number): number {
  let depth = 1;
  let quote = "";
  for (let at = from; at < source.length; at += 1) {
    const char = source[at] as string;
    if (quote !== "") {
      if (char === quote) quote = "";
    } else if (char === "'" || char === '"') quote = char;
    else if (source.startsWith("${", at)) depth += 1;
    else if (char === "}") {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return -1;
}

/** `opt:stage, self:a, 'x, y'` -> its three parts. */
export function alternativesOf(expression: string): string[] {
  const parts: string[] = [];
  let [start, depth, quote] = [0, 0, ""];
  for (let at = 0; at < expression.length; at += 1) {
    const char = expression[at] as string;
    if (quote !== "") {
      if (char === quote) quote = "";
    } else if (char === "'" || char === '"') quote = char;
    else if (char === "{" || char === "(") depth += 1;
    else if (char === "}" || char === ")") depth -= 1;
    else if (char === "," && depth === 0) {
      parts.push(expression.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [...parts, expression.slice(start).trim()];
}
