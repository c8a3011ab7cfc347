const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text that is safe in element content and in double-quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => entities[char] as string);
}

const named: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  copy: "\u00a9",
  mdash: "\u2014",
  ndash: "\u2013",
  hellip: "\u2026",
};

/** The character that `&name;`, `&#39;` or `&#x27;` stands for; null where it stands for none. */
export function decodeEntity(entity: string): string | null {
  const match = /^&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z]+));$/.exec(entity);
  if (match === null) return null;
  if (match[3] !== undefined) return named[match[3]] ?? null;
  const code = match[1] !== undefined ? Number(match[1]) : Number.parseInt(match[2] as string, 16);
  const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : "\ufffd";
}

/** Backslash escapes and entities of link destinations, titles and info strings. */
export function unescapeMarkdown(text: string): string {
  return text.replace(
    /\\([!-/:-@[-`{-~])|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]+);/g,
    (whole, char: string | undefined) => char ?? decodeEntity(whole) ?? whole,
  );
}

const ignoredInSchemes =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u0020\u007f-\u00a0\u00ad\u200b-\u200f\u2028\u2029\ufeff]/g;

/**
 * An address as an attribute value. Only http, https, mailto, tel and addresses without a scheme are kept; anything else, such as
 * `javascript:`, becomes empty. Browsers ignore control characters and blanks in a scheme, so the test ignores them too.
 */
export function safeAddress(address: string): string {
  const seen = address.replace(ignoredInSchemes, "");
  const scheme = /^([^/?#]*?):/.exec(seen)?.[1]?.toLowerCase();
  if (scheme !== undefined && !["http", "https", "mailto", "tel"].includes(scheme)) return "";
  // Percent-escapes what an address may not hold, and keeps the escapes that are there.
  const encoded = address
    .toWellFormed()
    .replace(/[^A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]|%(?![0-9A-Fa-f]{2})/gu, encodeURIComponent);
  return escapeHtml(encoded);
}
