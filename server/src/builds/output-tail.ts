const LINES_MAX = 500;
const BYTES_MAX = 65_536;
const LINE_CHARS_MAX = 2000;

/** The last lines of an output, bounded in number and size. */
export class OutputTail {
  readonly lines: string[] = [];
  #bytes = 0;

  add(lines: readonly string[]): void {
    for (const line of lines) {
      const kept = line.slice(0, LINE_CHARS_MAX).replaceAll("\n", " ");
      this.lines.push(kept);
      this.#bytes += Buffer.byteLength(kept) + 1;
    }
    while (this.lines.length > LINES_MAX || this.#bytes > BYTES_MAX)
      this.#bytes -= Buffer.byteLength(this.lines.shift() as string) + 1;
  }
}
