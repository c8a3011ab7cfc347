import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { join, relative } from "node:path";
import { readPackageFiles } from "../deploy/package-files.ts";
import type { Place } from "./source-places.ts";

const FILES_MAX = 20;
const CHECK_MS_MAX = 3000;

export interface SyntaxFault {
  at: Place;
  /** The line, and a mark below what is wrong. */
  lines: string[];
}

/**
 * Where a module does not parse: Node.js tells that of an ES module only as it prints the error and not in its stack, so each JavaScript file is parsed here (`node --check`, which runs
 * nothing), the newest first. null: all do.
 */
export async function syntaxFault(
  codeDir: string,
  cwd: string,
  signal: AbortSignal,
): Promise<SyntaxFault | null> {
  const scripts = readPackageFiles(codeDir)
    .map(({ path }) => path)
    .filter((path) => /\.[mc]?js$/.test(path) && !/(?:^|\/)node_modules\//.test(path))
    .map((path) => ({ path: join(codeDir, path), at: changedAt(join(codeDir, path)) }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of scripts.slice(0, FILES_MAX)) {
    const said = await check(path, signal);
    const [, line, source = "", mark = ""] = /:(\d+)\n(.*)\n(\s*\^*)/.exec(said) ?? [];
    if (line === undefined) continue;
    const column = mark.indexOf("^") + 1;
    const at = { file: relative(cwd, path), line: Number(line), column: column || null };
    return { at, lines: [source, mark] };
  }
  return null;
}

/** What Node.js says of the file; nothing where it parses. */
function check(path: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const options = { signal, timeout: CHECK_MS_MAX, maxBuffer: 1_048_576 };
    execFile(process.execPath, ["--check", path], options, (error, _stdout, stderr) =>
      resolve(error === null ? "" : stderr),
    );
  });
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
