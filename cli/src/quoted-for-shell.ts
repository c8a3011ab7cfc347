/** As it is where a POSIX shell takes it for one word, else in quotes. */
export function quotedForShell(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : inQuotes(text);
}

/** One word of a POSIX shell, whatever is in it. */
export function inQuotes(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
