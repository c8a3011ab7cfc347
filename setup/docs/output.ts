/**
 * Whether `given` is what a page shows as `expected`. `...` in a line stands for anything in it, a line of `...` alone for any number of lines. Blanks at the ends of
 * lines and empty lines at the end do not count.
 */
export function isOutput(expected: string, given: string): boolean {
  const lines = trimmed(expected).map((line) =>
    line.trim() === "..." ? "(?:.*\n)*?" : `${literal(line)}\n`,
  );
  return new RegExp(`^${lines.join("")}$`).test(`${trimmed(given).join("\n")}\n`);
}

function trimmed(text: string): string[] {
  return text
    .replace(/\s+$/, "")
    .split("\n")
    .map((line) => line.trimEnd());
}

function literal(line: string): string {
  return line
    .split("...")
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
    .join(".*");
}
