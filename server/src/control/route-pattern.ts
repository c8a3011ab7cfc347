import { httpMethods, requestLimits } from "@isola/api/limits";
import type { Route } from "../domain/function.ts";

const LITERAL = /^[A-Za-z0-9._~@$+,;=!-]+$/;
const PARAM = /^:[A-Za-z_][A-Za-z0-9_]{0,63}$/;

type Segment = { kind: "literal"; text: string } | { kind: "param" } | { kind: "rest" };

/** What is wrong with a route's path, as what was expected instead; null when nothing is. */
export function routePathProblem(path: string): string | null {
  if (!path.startsWith("/")) return "a path that begins with /";
  if (path.length > requestLimits.routePathCharsMax)
    return `at most ${requestLimits.routePathCharsMax} characters`;
  if (path === "/") return null;
  const segments = path.slice(1).split("/");
  const names = segments.filter((segment) => segment.startsWith(":"));
  for (const [at, segment] of segments.entries()) {
    const isLast = at === segments.length - 1;
    const problem = segmentProblem(segment, isLast);
    if (problem !== null) return problem;
  }
  return new Set(names).size === names.length ? null : "each :name at most once";
}

function segmentProblem(segment: string, isLast: boolean): string | null {
  if (segment === "") return "segments that are not empty: no // and no / at the end";
  if (segment === "." || segment === "..") return "a path without . and .. segments";
  if (segment === "*") return isLast ? null : "* only as the last segment";
  if (segment.includes("%")) return "a path without percent escapes";
  if (LITERAL.test(segment) || PARAM.test(segment)) return null;
  return "segments that are literal (letters, digits, . _ ~ @ $ + , ; = ! -), :name, or * at the end";
}

/** Every method the route answers: none named means all, and GET brings HEAD. */
export function methodsOf(route: Route): readonly string[] {
  if (route.methods.length === 0) return httpMethods;
  return route.methods.includes("GET") ? [...new Set([...route.methods, "HEAD"])] : route.methods;
}

/** Whether the pattern answers this plain path. `:name` takes one segment, `*` everything from its slash on; both may be empty. */
export function matchesPath(pattern: string, path: string): boolean {
  const segments = parse(pattern);
  const parts = path.slice(1).split("/");
  for (const [at, segment] of segments.entries()) {
    if (segment.kind === "rest") return at < parts.length;
    if (at >= parts.length) return false;
    if (segment.kind === "literal" && segment.text !== parts[at]) return false;
  }
  return segments.length === parts.length;
}

/**
 * Two routes conflict when some request matches both and neither path is strictly more specific: when the one's paths are not a true part of the other's.
 * `/a/:x` yields to `/a/b`, and `/a/*` to `/a/:x`; `/a/:x` and `/:y/b` conflict, for `/a/b` fits both.
 */
export function routesConflict(a: Route, b: Route): boolean {
  const methods = new Set(methodsOf(a));
  if (!methodsOf(b).some((method) => methods.has(method))) return false;
  const [left, right] = [parse(a.path), parse(b.path)];
  if (!intersect(left, right)) return false;
  return contains(left, right) === contains(right, left);
}

function parse(pattern: string): Segment[] {
  return pattern
    .slice(1)
    .split("/")
    .map((text) => {
      if (text === "*") return { kind: "rest" };
      return text.startsWith(":") ? { kind: "param" } : { kind: "literal", text };
    });
}

function intersect(a: Segment[], b: Segment[]): boolean {
  for (let at = 0; ; at++) {
    const [left, right] = [a[at], b[at]];
    if (left === undefined || right === undefined) return left === right;
    if (left.kind === "rest" || right.kind === "rest") return true;
    if (left.kind === "literal" && right.kind === "literal" && left.text !== right.text)
      return false;
  }
}

/** Whether every path of `inner` is one of `outer`. */
function contains(outer: Segment[], inner: Segment[]): boolean {
  for (let at = 0; ; at++) {
    const [wide, narrow] = [outer[at], inner[at]];
    if (wide === undefined || narrow === undefined) return wide === narrow;
    if (wide.kind === "rest") return true;
    if (narrow.kind === "rest") return false;
    if (wide.kind === "param") continue;
    if (narrow.kind === "param" || wide.text !== narrow.text) return false;
  }
}
