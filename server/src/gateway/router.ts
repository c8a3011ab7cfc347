import type { Route } from "../domain/function.ts";
import {
  type RouteEnd,
  type RouteNode,
  RouteTree,
  allMethods,
  methodBit,
} from "../domain/route-tree.ts";

export interface Match<T> {
  target: T;
  /** The pattern. */
  route: string;
  /** Decoded; the trailing wildcard is named `*`. */
  params: Record<string, string>;
}

/**
 * Explicit routes by method and pattern. In each segment a literal wins over a parameter and this over the wildcard, and what fits the method wins over what does not. Finding,
 * adding and removing cost the length of the path, whatever the number of routes. Of two targets with one and the same route the newer answers.
 */
export class Router<T> {
  readonly #tree = new RouteTree<T>();

  add(route: Route, target: T): void {
    this.#tree.add(route, target);
  }

  /** Takes the route of this target away; another's stays. */
  remove(route: Route, target: T): void {
    this.#tree.remove(route.path, target);
  }

  get isEmpty(): boolean {
    return this.#tree.root.isEmpty;
  }

  /** `path` without query; its escapes are known to be UTF-8 and to hide no slash. */
  find(method: string, path: string): Match<T> | null {
    const search = { bit: methodBit(method), path, isEscaped: path.includes("%"), values: [] };
    const end = findBelow(this.#tree.root, search, 1, 0);
    if (end === null) return null;
    return { target: end.owner, route: end.path, params: paramsOf(end, search) };
  }

  /** The methods that would have matched the path; for `Allow`. */
  methodsFor(path: string): string[] {
    return allMethods.filter((method) => this.find(method, path) !== null);
  }
}

interface Search {
  bit: number;
  path: string;
  isEscaped: boolean;
  /** Raw, of the parameters and the wildcard on the way; filled in once the end is known. */
  values: string[];
}

/** `at` is where the segment begins that comes next in the path, `depth` the number of parameters before it. */
function findBelow<T>(
  node: RouteNode<T>,
  search: Search,
  at: number,
  depth: number,
): RouteEnd<T> | null {
  const { path } = search;
  const slash = path.indexOf("/", at);
  const text = slash === -1 ? path.slice(at) : path.slice(at, slash);
  const literal = node.literal(search.isEscaped ? decodeURI(text) : text);
  if (literal !== null) {
    const end = endAt(literal, search, slash, depth);
    if (end !== null) return end;
  }
  if (node.param !== null) {
    const end = endAt(node.param, search, slash, depth + 1);
    if (end !== null) {
      search.values[depth] = text;
      return end;
    }
  }
  const rest = newestFor(node.rest, search.bit);
  if (rest !== null) search.values[depth] = path.slice(at);
  return rest;
}

function endAt<T>(
  node: RouteNode<T>,
  search: Search,
  slash: number,
  depth: number,
): RouteEnd<T> | null {
  if (slash === -1) return newestFor(node.end, search.bit);
  return findBelow(node, search, slash + 1, depth);
}

function newestFor<T>(end: RouteEnd<T> | null, bit: number): RouteEnd<T> | null {
  for (let one = end; one !== null; one = one.next) if ((one.methods & bit) !== 0) return one;
  return null;
}

function paramsOf<T>({ names }: RouteEnd<T>, { values }: Search): Record<string, string> {
  const params: Record<string, string> = Object.create(null);
  for (const [at, value] of values.entries())
    params[names[at] ?? "*"] = value.includes("%") ? decodeURIComponent(value) : value;
  return params;
}
