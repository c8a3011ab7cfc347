import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { usageFailure } from "../command.ts";
import { SOURCE_BYTES_MAX, tooLarge } from "./yaml-tree.ts";

const codeEndings = { nodejs: ["mjs", "js", "cjs", "ts", "mts", "cts"], python: ["py"] } as const;

/** The folder of the file that is imported. Nothing outside of it is read, links that lead out of it neither. */
export class SourceFolder {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = realpathSync(dir);
  }

  /** As `a/b` below the folder, `.` for the folder itself; null where the path leads out of it. */
  inside(path: string): string | null {
    const whole = resolve(this.dir, path);
    const real = existsSync(whole) ? realpathSync(whole) : whole;
    if (real !== this.dir && !real.startsWith(`${this.dir}${sep}`)) return null;
    const below = relative(this.dir, whole).split(sep).join("/");
    return below === "" ? "." : below;
  }

  has(path: string): boolean {
    const below = this.inside(path);
    return below !== null && existsSync(resolve(this.dir, below));
  }

  isFolder(path: string): boolean {
    return this.has(path) && statSync(resolve(this.dir, path)).isDirectory();
  }

  /** The text of a file; null where there is none inside. */
  read(path: string): string | null {
    const below = this.inside(path);
    if (below === null) return null;
    return readBounded(resolve(this.dir, below));
  }

  /** `src/handler` -> `src/handler.ts`; null where the code is not there. */
  codeFile(runtime: "nodejs" | "python", path: string): string | null {
    const found = codeEndings[runtime].find((ending) => this.has(`${path}.${ending}`));
    return found === undefined ? null : `${path}.${found}`;
  }
}

function readBounded(path: string): string | null {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status?.isFile()) return null;
  if (status.size > SOURCE_BYTES_MAX) throw tooLarge(path);
  return readFileSync(path, "utf8");
}

/** The file that is imported. */
export function readSource(path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined)
    throw usageFailure(`There is no file ${path}`);
  const text = readBounded(path);
  if (text === null) throw usageFailure(`${path} is no file`);
  return text;
}
