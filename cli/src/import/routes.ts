import { httpMethods } from "@isola/api/limits";
import type { Findings } from "./findings.ts";
import type { Endpoint, ImportedFunction } from "./imported.ts";

export interface ImportedRoute {
  /** Left out: every method. */
  methods?: string[];
  path: string;
}

const LITERAL = /^[A-Za-z0-9._~@$+,;=!-]+$/;
const PATH_CHARS_MAX = 512;
const ROUTES_MAX = 20;

/**
 * The routes that lead to one function, as few as say the same. `others`: endpoints of the other functions. One route is all that a function of Isola has: the caller
 * makes a function of each.
 */
export function routesOf(
  fn: ImportedFunction,
  others: readonly Endpoint[],
  findings: Findings,
): ImportedRoute[] {
  const byPath = new Map<string, Set<string>>();
  for (const endpoint of fn.endpoints) {
    const path = isolaPath(endpoint, findings);
    const methods = path === null ? null : isolaMethods(endpoint, findings);
    if (path === null || methods === null) continue;
    const known = byPath.get(path);
    byPath.set(path, known === undefined ? new Set(methods) : union(known, methods));
  }
  const routes = [...byPath].map(([path, methods]) => ({ path, methods }));
  const needed = routes.filter((one) => !routes.some((other) => covers(other, one)));
  const prefix = needed.length > 1 ? sharedPrefix(needed, others) : null;
  if (prefix !== null) {
    const methods = needed.map((one) => one.methods).reduce(union);
    findings.change(fn.place, `its ${needed.length} routes are one, ${prefix}/*`);
    return [shown({ path: `${prefix}/*`, methods })];
  }
  for (const { path } of needed.slice(ROUTES_MAX))
    findings.leave(fn.place, `${path}: more than ${ROUTES_MAX} routes of one function`);
  return needed.slice(0, ROUTES_MAX).map(shown);
}

interface Answered {
  path: string;
  /** Empty: every method. */
  methods: ReadonlySet<string>;
}

function shown({ path, methods }: Answered): ImportedRoute {
  return methods.size === 0 ? { path } : { methods: [...methods], path };
}

function union(a: ReadonlySet<string>, b: ReadonlySet<string>): Set<string> {
  return a.size === 0 || b.size === 0 ? new Set() : new Set([...a, ...b]);
}

/** Whether the one is asked for nothing that the other, a wildcard, would not answer. */
function covers(other: Answered, one: Answered): boolean {
  if (other === one || !other.path.endsWith("/*")) return false;
  const isBelow = one.path.startsWith(other.path.slice(0, -1));
  const hasMethods =
    other.methods.size === 0 ||
    (one.methods.size > 0 && [...one.methods].every((method) => other.methods.has(method)));
  return isBelow && hasMethods && !one.path.includes(":");
}

/** `/api` of `/api/a` and `/api/b/c`: where no parameter is lost by it and no other function answers below. */
function sharedPrefix(routes: readonly Answered[], others: readonly Endpoint[]): string | null {
  if (routes.some(({ path }) => path.includes(":"))) return null;
  const [first, ...rest] = routes.map(({ path }) => path.split("/").slice(1, -1));
  let shared = first ?? [];
  for (const segments of rest) {
    const differs = shared.findIndex((segment, at) => segments[at] !== segment);
    if (differs !== -1) shared = shared.slice(0, differs);
  }
  if (shared.length === 0) return null;
  const prefix = `/${shared.join("/")}`;
  const isTaken = others.some(({ path }) => `${path}/`.startsWith(`${prefix}/`));
  return isTaken ? null : prefix;
}

function isolaMethods({ place, methods }: Endpoint, findings: Findings): Set<string> | null {
  const known = methods.filter((one) => (httpMethods as readonly string[]).includes(one));
  for (const method of methods)
    if (!known.includes(method)) findings.leave(place, `the method ${method} is not answered`);
  return methods.length > 0 && known.length === 0 ? null : new Set(known);
}

/** `/users/{id}/files/{proxy+}` -> `/users/:id/files/*`; null where Isola has no such route. */
function isolaPath({ place, path }: Endpoint, findings: Findings): string | null {
  const segments = path.replace(/^\/+|\/+$/g, "").split("/");
  const written = segments.map((segment) => segmentOf(segment));
  const whole = `/${written.join("/")}`;
  const isFine = written.every(
    (segment, at) => segment !== null && isAllowed(segment, at, written),
  );
  const isShort = whole.length <= PATH_CHARS_MAX;
  const names = written.filter((segment) => segment?.startsWith(":"));
  if (whole !== "/" && (!isFine || !isShort || new Set(names).size < names.length)) {
    findings.leave(
      place,
      `${path} is no route of Isola: literal segments, :name, and * at the end`,
    );
    return null;
  }
  const renamed = segments.filter((segment, at) => isRenamed(segment, written[at] ?? ""));
  if (renamed.length > 0)
    findings.change(place, `the parameters of ${path} are named as in ${whole}`);
  if (/\/.+\/$/.test(path)) findings.change(place, `${path} is answered as ${whole}`);
  return whole;
}

function segmentOf(segment: string): string | null {
  if (segment === "*" || /^\{[^{}]+\+\}$/.test(segment)) return "*";
  const name = /^\{([^{}]+)\}$/.exec(segment)?.[1];
  if (name === undefined) return LITERAL.test(segment) ? segment : null;
  const plain = name.replace(/[^A-Za-z0-9_]/g, "_").slice(0, 60);
  return /^[A-Za-z_]/.test(plain) ? `:${plain}` : `:_${plain}`;
}

function isRenamed(segment: string, written: string): boolean {
  return written.startsWith(":") && segment !== `{${written.slice(1)}}`;
}

function isAllowed(segment: string | null, at: number, all: readonly (string | null)[]): boolean {
  if (segment === null || segment === "." || segment === "..") return false;
  if (at === 0 && segment.startsWith("~")) return false;
  return segment !== "*" || at === all.length - 1;
}
