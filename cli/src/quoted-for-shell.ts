/** As it is where a POSIX shell takes it for one word, else in quotes. */
export function quotedForShell(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
