import { existsSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** A place in a file of the person's, its path relative to where the command was typed. */
export interface Place {
  file: string;
  line: number;
  column: number | null;
}

const TASK_ROOT = "/var/task/";
/** `file:///var/task/a%20b.mjs:2:9`, `/var/task/index.cjs:2` */
const nodePlace = /(file:\/\/)?\/var\/task\/([^\s:"'()<>]+)(?::(\d+)(?::(\d+))?)?/g;
/** `File "/var/task/app.py", line 5` */
const pythonPlace = /File "\/var\/task\/([^"]+)", line (\d+)/g;
/** Frames of Node.js and of the runtime, which say nothing about the function. */
const foreignFrame = /^\s+at (?:.*[( ])?(?:node:|file:\/\/\/opt\/isola\/)/;

/**
 * Text of a function in which places below `/var/task` are those of its folder, as a terminal makes links of them: `src/app.py:5`. What is not in the folder, such as a dependency that a
 * build has installed, stays as it is.
 */
export class SourcePlaces {
  readonly #codeDir: string;
  readonly #cwd: string;

  constructor(codeDir: string, cwd: string) {
    this.#codeDir = codeDir;
    this.#cwd = cwd;
  }

  line(text: string): string {
    if (!text.includes(TASK_ROOT)) return text;
    return text
      .replace(pythonPlace, (given: string, path: string, line: string) => {
        const file = this.#fileOf(path);
        return file === null ? given : `${file}:${line}`;
      })
      .replace(nodePlace, (given: string, scheme, path: string, ...at: string[]) => {
        const file = this.#fileOf(scheme === undefined ? path : decoded(path));
        if (file === null) return given;
        return [file, ...at.slice(0, 2).filter((one) => one !== undefined)].join(":");
      });
  }

  /** The lines of a stack without those that are the platform's. */
  stack(text: string): string[] {
    return text
      .split("\n")
      .filter((line) => !isForeignFrame(line))
      .map((line) => this.line(line));
  }

  /** The place that a stack is about: of Node.js the first that is the person's, of Python the last. */
  placeIn(stack: string): Place | null {
    const python = [...stack.matchAll(pythonPlace)].flatMap(([, path = "", line]) =>
      this.#placeOf(path, line),
    );
    const node = [...stack.matchAll(nodePlace)].flatMap(([, scheme, path = "", line, column]) =>
      this.#placeOf(scheme === undefined ? path : decoded(path), line, column),
    );
    return python.at(-1) ?? node[0] ?? null;
  }

  #placeOf(path: string, line: string | undefined, column?: string): Place[] {
    const file = this.#fileOf(path);
    if (file === null || line === undefined) return [];
    return [{ file, line: Number(line), column: column === undefined ? null : Number(column) }];
  }

  #fileOf(path: string): string | null {
    const file = join(this.#codeDir, path);
    if (!file.startsWith(this.#codeDir + sep) || !existsSync(file)) return null;
    return relative(this.#cwd, file);
  }
}

export function isForeignFrame(line: string): boolean {
  return foreignFrame.test(line);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // not of Node.js: what looks like a URL in a text
  }
}
