import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isStreamHandler } from "./awslambda.mjs";

const extensions = ["mjs", "js", "cjs", "ts", "mts", "cts"];
const LISTED_MAX = 20;

/** Why the code cannot be used; the message names what was looked for and what was found. */
export class LoadError extends Error {
  /** @param {string} message @param {unknown} [cause] */
  constructor(message, cause) {
    super(message, { cause });
    this.name = "LoadError";
  }
}

/**
 * What the code offers. `fetch` is called on `target`, the object that holds it.
 * @typedef {{kind: "fetch", target: {fetch: Function}} | {kind: "lambda" | "lambda-stream", handler: Function}} Loaded
 */

/**
 * Imports the file that `handler` names (`folder/file.export`) and finds out which kind of function it is.
 * @param {string} taskRoot @param {string} handler @param {string[]} files of the package, below `taskRoot` @returns {Promise<Loaded>}
 */
export async function loadFunction(taskRoot, handler, files) {
  const { file, exportName } = findFile(handler, files);
  process.argv = [process.execPath, join(taskRoot, file)];
  const found = await importFile(join(taskRoot, file), file);
  const named = memberAt(found, exportName);
  const loaded = loadedFrom(named) ?? loadedFrom(defaultOf(found));
  if (loaded !== null) return loaded;
  const exported = Object.keys(found).filter((name) => name !== "module.exports");
  const wrong = named === undefined ? "" : `; its "${exportName}" is ${kindOf(named)}`;
  throw new LoadError(
    `handler "${handler}": ${file} exports neither a function "${exportName}" nor a default with fetch; ` +
      `it exports ${listed(exported, "nothing")}${wrong}`,
  );
}

/** @param {string} handler @param {string[]} files */
function findFile(handler, files) {
  const slash = handler.lastIndexOf("/") + 1;
  const dot = handler.indexOf(".", slash);
  const base = dot === -1 ? handler : handler.slice(0, dot);
  const candidates = extensions.map((extension) => `${base.replace(/^\.\//, "")}.${extension}`);
  const file = candidates.find((candidate) => files.includes(candidate));
  if (file === undefined)
    throw new LoadError(
      `handler "${handler}": the package has none of ${candidates.join(", ")}; it has ${listed(files, "no files")}`,
    );
  return { file, exportName: dot === -1 ? "default" : handler.slice(dot + 1) };
}

/** @param {string} path @param {string} file @returns {Promise<Record<string, unknown>>} */
async function importFile(path, file) {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    throw new LoadError(`cannot load ${file}`, error);
  }
}

/** A named export, also one of nested objects and one that a CommonJS module sets in a way that cannot be seen before it runs. @param {Record<string, unknown>} found @param {string} name */
function memberAt(found, name) {
  const own = path(found, name);
  return own === undefined && name !== "default" ? path(found.default, name) : own;
}

/** @param {unknown} from @param {string} name @returns {unknown} */
function path(from, name) {
  let value = from;
  for (const part of name.split(".")) {
    const isHolder = (typeof value === "object" || typeof value === "function") && value !== null;
    if (!isHolder || !Object.hasOwn(value, part)) return undefined;
    value = /** @type {Record<string, unknown>} */ (value)[part];
  }
  return value;
}

/** The default export; of compiled CommonJS the one it had as an ES module. @param {Record<string, unknown>} found */
function defaultOf(found) {
  const own = /** @type {any} */ (found.default);
  return own?.__esModule === true ? own.default : own;
}

/** @param {unknown} value @returns {Loaded | null} */
function loadedFrom(value) {
  const target = /** @type {any} */ (value);
  if (typeof target?.fetch === "function") return { kind: "fetch", target };
  if (typeof value !== "function") return null;
  return { kind: isStreamHandler(value) ? "lambda-stream" : "lambda", handler: value };
}

/** @param {unknown} value */
function kindOf(value) {
  return value === null ? "null" : `of type ${typeof value}`;
}

/** @param {string[]} names @param {string} none */
function listed(names, none) {
  if (names.length === 0) return none;
  const more = names.length > LISTED_MAX ? ` and ${names.length - LISTED_MAX} more` : "";
  return names.slice(0, LISTED_MAX).join(", ") + more;
}
