/** Variables of the process that stay as the driver set them. */
const keptVariables = new Set(["PATH", "HOME", "LANG", "TMPDIR"]);

/**
 * The payload of `INIT`.
 * @typedef {object} Init
 * @property {string} sandbox @property {string} project @property {string} function @property {number} revision
 * @property {string} handler @property {number} concurrency @property {number} memoryMiB @property {number} timeoutMs
 * @property {number} initTimeoutMs @property {Record<string, string>} env @property {string} taskRoot
 * @property {number} requestBodyBytesMax @property {number} responseBodyBytesMax @property {number} logLineBytesMax
 * @property {DebugInit} [debug]
 */

/** @typedef {{sockets: string[], isAwaited: boolean}} DebugInit */

/** @type {[string, string][]} */
const members = [
  ...["sandbox", "project", "function", "handler", "taskRoot"].map(
    (name) => /** @type {[string, string]} */ ([name, "string"]),
  ),
  ...["revision", "concurrency", "memoryMiB", "timeoutMs", "initTimeoutMs"].map(
    (name) => /** @type {[string, string]} */ ([name, "number"]),
  ),
  ...["requestBodyBytesMax", "responseBodyBytesMax", "logLineBytesMax"].map(
    (name) => /** @type {[string, string]} */ ([name, "number"]),
  ),
  ["env", "object"],
];

/** Returns what is wrong instead, as text. @param {Buffer} payload @returns {Init | string} */
export function readInit(payload) {
  let init;
  try {
    init = JSON.parse(payload.toString());
  } catch {
    return "INIT is not JSON";
  }
  if (typeof init !== "object" || init === null) return "INIT is not an object";
  for (const [name, type] of members)
    if (typeof init[name] !== type || init[name] === null) return `INIT lacks ${name} (${type})`;
  const { debug } = init;
  if (debug !== undefined && !isDebugInit(debug)) return "INIT has another debug than expected";
  return init;
}

/** @param {any} debug */
function isDebugInit(debug) {
  if (typeof debug?.isAwaited !== "boolean" || !Array.isArray(debug.sockets)) return false;
  return debug.sockets.every((/** @type {unknown} */ path) => typeof path === "string");
}

/** Removes what is left of the time before the start, which is no business of the function. */
export function clearEnvironment() {
  for (const name of Object.keys(process.env))
    if (!keptVariables.has(name)) delete process.env[name];
  process.env.TZ = ":UTC";
}

/** What the code finds around it. Names set by Isola cannot be replaced by the function's own variables. @param {Init} init */
export function applyEnvironment(init) {
  const revision = String(init.revision);
  const memory = String(init.memoryMiB);
  const { env } = process;
  for (const name of Object.keys(init.env)) env[name] = init.env[name];
  env.AWS_LAMBDA_FUNCTION_NAME = init.function;
  env.AWS_LAMBDA_FUNCTION_VERSION = revision;
  env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE = memory;
  env._HANDLER = init.handler;
  env.LAMBDA_TASK_ROOT = init.taskRoot;
  env.ISOLA_FUNCTION_NAME = init.function;
  env.ISOLA_FUNCTION_VERSION = revision;
  env.ISOLA_FUNCTION_MEMORY_SIZE = memory;
  env.ISOLA_HANDLER = init.handler;
  env.ISOLA_TASK_ROOT = init.taskRoot;
  env.ISOLA_PROJECT = init.project;
  env.ISOLA_SANDBOX = init.sandbox;
  process.chdir(init.taskRoot);
}
