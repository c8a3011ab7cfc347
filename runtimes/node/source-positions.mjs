import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";

/** Larger ones would take more memory for a stack than a function has to spare. */
const SCRIPT_BYTES_MAX = 8 * 1024 * 1024;
const MAP_CHARS_MAX = 2 * 1024 * 1024;
/** More of a stack is not told. */
const STACK_CHARS_MAX = 32_000;
/** Scripts that are remembered, with a map or without. */
const KNOWN_MAX = 16;
const MARK = "\n//# sourceMappingURL=data:application/json;base64,";
const frame = /(file:\/\/\/[^\s()]{1,1000}?\.[cm]?js):(\d+):(\d+)/g;

/** @type {Map<string, SourceMap | null>} */
const known = new Map();

/**
 * A stack with the places that bundled or compiled code had before, where its file ends with its source map, as what a build bundles does. Maps are read when an error is told, and cost nothing until then.
 * @param {string} stack
 */
export function withSourcePositions(stack) {
  if (!stack.includes("file:///")) return stack;
  const told = stack.slice(0, STACK_CHARS_MAX);
  return told.replace(frame, (given, url, line, column) => {
    const origin = mapOf(url)?.findOrigin(Number(line), Number(column));
    if (origin === undefined || !("fileName" in origin)) return given;
    return `${new URL(origin.fileName, url).href}:${origin.lineNumber}:${origin.columnNumber}`;
  });
}

/** @param {string} url */
function mapOf(url) {
  const map = known.get(url);
  if (map !== undefined) return map;
  if (known.size >= KNOWN_MAX || url.includes("/node_modules/")) return null;
  const read = readMap(url);
  known.set(url, read);
  return read;
}

/** @param {string} url @returns {SourceMap | null} */
function readMap(url) {
  try {
    const script = readScript(fileURLToPath(url));
    const at = script.lastIndexOf(MARK);
    if (at === -1 || script.length - at > MAP_CHARS_MAX) return null;
    const base64 = script.slice(at + MARK.length).trimEnd();
    return new SourceMap(JSON.parse(Buffer.from(base64, "base64").toString("utf8")));
  } catch {
    return null; // the code has no such file, or its map is none: the place stays as it is
  }
}

/** @param {string} path */
function readScript(path) {
  const file = openSync(path, "r");
  try {
    return fstatSync(file).size > SCRIPT_BYTES_MAX ? "" : readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}
