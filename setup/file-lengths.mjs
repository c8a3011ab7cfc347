import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sourceFiles } from "./source-files.mjs";

const LINES_MAX = 400;

/** One line for each source file that is too long. */
export function longFiles(rootDir) {
  return sourceFiles(rootDir, [".ts", ".tsx", ".mjs", ".py"])
    .map((path) => ({
      path,
      lines: readFileSync(join(rootDir, path), "utf8").split("\n").length - 1,
    }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ path, lines }) => `${path}: ${lines} lines, at most ${LINES_MAX} are allowed`);
}
