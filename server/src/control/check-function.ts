import { requestLimits } from "@isola/api/limits";
import { type RevisionSettings, networkDrivers } from "../domain/function.ts";
import type { ErrorDetail } from "../errors.ts";
import { isObject, memberPath, problem } from "@isola/api/explain";
import { checkSchedules } from "../schedules/check-schedules.ts";
import { routePathProblem } from "./route-pattern.ts";

/** What the schemas of functions cannot say. Members of the wrong type are left to the schema. */

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Set by the platform, or able to take over the runtime before the code is loaded. */
const RESERVED_ENV = /^(AWS_LAMBDA_|ISOLA_|LD_|DYLD_|GLIBC_TUNABLES$|LAMBDA_TASK_ROOT$|_HANDLER$)/;
const HANDLER = /^[A-Za-z0-9_$/-]+(\.[A-Za-z0-9_$/-]+)*\.[A-Za-z_$][A-Za-z0-9_$]*$/;
/** Kubernetes: an optional DNS prefix and a name; values may be empty. */
const LABEL_NAME = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const LABEL_PREFIX = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

export function checkCreate(body: unknown): ErrorDetail[] {
  if (!isObject(body)) return [];
  return [...checkSettings(body), ...checkCode(body.code, "code")];
}

export function checkPatch(body: unknown): ErrorDetail[] {
  if (!isObject(body)) return [];
  return [...checkSettings(body), ...checkCode(body.code, "code")];
}

/** Exactly one of `files` and `zip`; `path` is where they lie. */
export function checkCode(code: unknown, path: string): ErrorDetail[] {
  if (!isObject(code)) return [];
  const place = path === "" ? "body" : path;
  const isBoth = code.files !== undefined && code.zip !== undefined;
  const isNone = code.files === undefined && code.zip === undefined;
  if (isBoth || isNone)
    return [{ path: place, expected: "either files or zip", given: isBoth ? "both" : "neither" }];
  if (typeof code.zip === "string" && !isBase64(code.zip))
    return [problem(memberPath(path, "zip"), "base64", code.zip)];
  if (isObject(code.files) && Object.keys(code.files).length === 0)
    return [problem(memberPath(path, "files"), "at least one file", code.files)];
  return [];
}

/** Standard alphabet, padded; without building the bytes. */
function isBase64(text: string): boolean {
  return text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** `minSandboxes` must not exceed `maxSandboxes`. */
export function checkSandboxes(given: {
  minSandboxes: number;
  maxSandboxes: number;
}): ErrorDetail[] {
  if (given.minSandboxes <= given.maxSandboxes) return [];
  const expected = `at most maxSandboxes (${given.maxSandboxes})`;
  return [problem("minSandboxes", expected, given.minSandboxes)];
}

/** `concurrencyTarget` must not exceed `concurrency`. */
export function checkTarget(given: {
  concurrency: number;
  concurrencyTarget: number | null;
}): ErrorDetail[] {
  const { concurrency, concurrencyTarget } = given;
  if (concurrencyTarget === null || concurrencyTarget <= concurrency) return [];
  return [problem("concurrencyTarget", `at most concurrency (${concurrency})`, concurrencyTarget)];
}

/** What is reserved for one function must leave a place for the others. */
export function checkReserved(
  settings: { reservedConcurrency: number | null },
  invocationsMax: number,
): ErrorDetail[] {
  const { reservedConcurrency } = settings;
  if (reservedConcurrency === null || reservedConcurrency < invocationsMax) return [];
  const expected = `less than ${invocationsMax}, the setting invocationsMax of this server`;
  return [problem("reservedConcurrency", expected, reservedConcurrency)];
}

/** Not every isolation technology gives a sandbox a network. */
export function checkNetwork(given: Pick<RevisionSettings, "network" | "driver">): ErrorDetail[] {
  if (given.network === "none" || networkDrivers.includes(given.driver)) return [];
  const expected = `none with the driver ${given.driver}; ${networkDrivers.join(", ")} can give ${given.network}`;
  return [problem("network", expected, given.network)];
}

/** The operator's cap, which may be lower than what the API takes. */
export function checkTimeout(settings: { timeoutMs: number }, timeoutMsMax: number): ErrorDetail[] {
  if (settings.timeoutMs <= timeoutMsMax) return [];
  const expected = `at most ${timeoutMsMax}, the setting timeoutMsMax of this server`;
  return [problem("timeoutMs", expected, settings.timeoutMs)];
}

function checkSettings(body: Record<string, unknown>): ErrorDetail[] {
  const { minSandboxes, maxSandboxes, concurrency, concurrencyTarget } = body;
  const isTarget = typeof concurrency === "number" && typeof concurrencyTarget === "number";
  const isRange = typeof minSandboxes === "number" && typeof maxSandboxes === "number";
  return [
    ...checkHandler(body.handler),
    ...checkRoute(body.route),
    ...(isRange ? checkSandboxes({ minSandboxes, maxSandboxes }) : []),
    ...(isTarget ? checkTarget({ concurrency, concurrencyTarget }) : []),
    ...checkEnv(body.env),
    ...checkLabels(body.labels),
    ...checkSchedules(body.schedules),
  ];
}

function checkHandler(handler: unknown): ErrorDetail[] {
  if (typeof handler !== "string") return [];
  const isInside = !handler.startsWith("/") && !handler.split(/[/.]/).includes("");
  if (HANDLER.test(handler) && isInside) return [];
  return [problem("handler", "file.export inside the package, like index.handler", handler)];
}

function checkRoute(route: unknown): ErrorDetail[] {
  if (!isObject(route) || typeof route.path !== "string") return [];
  const expected = routePathProblem(route.path);
  return expected === null ? [] : [problem("route.path", expected, route.path)];
}

function checkEnv(env: unknown): ErrorDetail[] {
  if (!isObject(env)) return [];
  const details: ErrorDetail[] = [];
  let bytes = 0;
  for (const [name, value] of Object.entries(env)) {
    bytes += Buffer.byteLength(name) + (typeof value === "string" ? Buffer.byteLength(value) : 0);
    const path = memberPath("env", name.slice(0, 100));
    const isPlain = ENV_NAME.test(name);
    if (!isPlain)
      details.push({ path, expected: `a name matching ${ENV_NAME.source}`, given: "another" });
    if (RESERVED_ENV.test(name))
      details.push({
        path,
        expected: "a name the platform does not use",
        given: "a reserved name",
      });
    if (typeof value === "string" && value.includes("\0"))
      details.push({ path, expected: "text without NUL", given: "text with NUL" });
  }
  const { envBytesMax } = requestLimits;
  if (bytes > envBytesMax)
    details.push({
      path: "env",
      expected: `names and values of at most ${envBytesMax} bytes in all`,
      given: `${bytes} bytes`,
    });
  return details.slice(0, 100);
}

function checkLabels(labels: unknown): ErrorDetail[] {
  if (!isObject(labels)) return [];
  const details = Object.entries(labels).flatMap(([name, value]) => {
    const path = memberPath("labels", name.slice(0, 100));
    if (!isLabelName(name))
      return [problem(path, "a name like tier or example.com/tier, 63 characters at most", name)];
    const isText = typeof value === "string";
    if (!isText || value === "" || LABEL_NAME.test(value)) return [];
    return [
      problem(path, "letters, digits, - _ . (63 at most, ends alphanumeric) or empty", value),
    ];
  });
  return details.slice(0, 100);
}

function isLabelName(name: string): boolean {
  const parts = name.split("/");
  if (parts.length > 2) return false;
  const [prefix, last] = parts.length === 2 ? parts : [undefined, parts[0]];
  return (prefix === undefined || LABEL_PREFIX.test(prefix)) && LABEL_NAME.test(last ?? "");
}
