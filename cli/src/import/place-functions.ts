import { requestLimits, scalingLimits, settingLimits } from "@isola/api/limits";
import type { Findings } from "./findings.ts";
import { freeName } from "./free-name.ts";
import type { Imported, ImportedFunction } from "./imported.ts";
import { type OpenText, isSayable, isolaText } from "./open-text.ts";
import { type ImportedRoute, routesOf } from "./routes.ts";
import { schedulesOf } from "./schedules.ts";

/** A function as isola.yaml has it. */
export interface PlacedFunction {
  name: string;
  /** Its name in the file that is imported. */
  from: string;
  settings: Record<string, unknown>;
}

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** What the server keeps for itself (`env` in docs/functions.md). */
const RESERVED_ENV = /^(AWS_LAMBDA_|ISOLA_|LD_|DYLD_|GLIBC_TUNABLES$|LAMBDA_TASK_ROOT$|_HANDLER$)/;

/** Functions of isola.yaml: each route beyond the first of a function has a function of its own with the same code. */
export function placeFunctions(
  { functions }: Imported,
  codeDirOf: (fn: ImportedFunction) => string,
  findings: Findings,
): PlacedFunction[] {
  const taken = new Set<string>();
  const placed = functions.flatMap((fn) => {
    const name = freeName(fn.name, taken, "function");
    if (name !== fn.name) findings.change(fn.place, `is named ${name} here`);
    const others = functions.filter((one) => one !== fn).flatMap(({ endpoints }) => endpoints);
    const routes = routesOf(fn, others, findings);
    const settings = settingsOf(fn, codeDirOf(fn), findings);
    const schedules = schedulesOf(fn, findings);
    const own = { ...settings, ...(schedules.length > 0 && { schedules }) };
    const first = { name, from: fn.name, settings: withRoute(own, routes[0]) };
    const more = routes.slice(1).map((route) => {
      const own = freeName(name, taken, "function");
      findings.change(
        fn.place,
        `${route.path} is answered by ${own}, a function of its own with the same code, as a function has one route`,
      );
      return { name: own, from: fn.name, settings: withRoute(settings, route) };
    });
    return [first, ...more];
  });
  keepReachable(placed, findings);
  return placed;
}

function withRoute(settings: Record<string, unknown>, route: ImportedRoute | undefined) {
  if (route === undefined) return settings;
  const { runtime, handler, code, ...rest } = settings;
  return { runtime, handler, code, route, ...rest };
}

function settingsOf(fn: ImportedFunction, code: string, findings: Findings) {
  const env = envOf(fn, findings);
  const reserved = within(scalingLimits.reservedConcurrency, fn.reservedConcurrency);
  if (fn.reservedConcurrency !== null && reserved !== fn.reservedConcurrency)
    findings.change(fn.place, `reserved concurrency ${fn.reservedConcurrency} is ${reserved} here`);
  const settings: Record<string, unknown> = {
    runtime: fn.runtime,
    handler: fn.handler,
    code,
    ...(fn.description && {
      description: isolaText(fn.description.slice(0, requestLimits.descriptionCharsMax)),
    }),
    memoryMiB: bounded(fn, "memoryMiB", findings),
    timeoutMs: bounded(fn, "timeoutMs", findings),
    ...(reserved !== null && { reservedConcurrency: reserved }),
    ...(fn.minSandboxes && { minSandboxes: within(settingLimits.minSandboxes, fn.minSandboxes) }),
    ...(fn.isBundled && { build: { bundle: true } }),
    ...(Object.keys(env).length > 0 && { env }),
  };
  return settings;
}

function bounded(fn: ImportedFunction, what: "memoryMiB" | "timeoutMs", findings: Findings) {
  const value = within(settingLimits[what], fn[what]) as number;
  if (value !== fn[what]) findings.change(fn.place, `${what} ${fn[what]} is ${value} here`);
  return value;
}

function within({ least, most }: { least: number; most: number }, value: number | null) {
  return value === null ? null : Math.min(most, Math.max(least, Math.round(value)));
}

function envOf(fn: ImportedFunction, findings: Findings): Record<string, string> {
  const env: Record<string, string> = {};
  let bytes = 0;
  for (const [name, value] of Object.entries(fn.env)) {
    const place = `${fn.place}.environment.${name}`;
    const text = isolaText(sayable(value, place, findings));
    if (!ENV_NAME.test(name) || text.includes("\0"))
      findings.leave(place, "is no variable that Isola sets");
    else if (RESERVED_ENV.test(name))
      findings.leave(place, "is set by the platform and cannot be set by hand");
    else env[name] = text;
    bytes += Buffer.byteLength(name) + Buffer.byteLength(text);
  }
  if (bytes > requestLimits.envBytesMax)
    findings.leave(
      fn.place,
      `its environment has about ${bytes} bytes and ${requestLimits.envBytesMax} are taken: move what is long into a file of the code`,
    );
  return env;
}

/** What isola.yaml cannot say with its variables is said without them. */
function sayable(value: string | OpenText, place: string, findings: Findings): string | OpenText {
  if (typeof value === "string" || isSayable(value)) return value;
  const plain = value.plain();
  findings.change(
    place,
    `is ${plain ?? "empty"}: isola.yaml cannot say it with the variable in it`,
  );
  return plain ?? "";
}

/** A route such as `/*` may not take the default route `/<name>` of a function that has no other: that one gets a route. */
function keepReachable(placed: PlacedFunction[], findings: Findings): void {
  const routes = placed.flatMap(({ name, settings }) => {
    const route = settings.route as ImportedRoute | undefined;
    return route === undefined ? [] : [{ name, path: route.path }];
  });
  for (const [at, fn] of placed.entries()) {
    if (fn.settings.route !== undefined) continue;
    const taker = routes.find(({ path }) => /^\/(\*|:[^/]+)$/.test(path) || path === `/${fn.name}`);
    if (taker === undefined) continue;
    const path = `/_/${fn.name}`;
    placed[at] = { ...fn, settings: withRoute(fn.settings, { path }) };
    findings.change(
      fn.from,
      `has the route ${path}, as ${taker.path} of ${taker.name} takes its default route /${fn.name}`,
    );
  }
}
