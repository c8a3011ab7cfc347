import findMyWay, { type HTTPMethod, type HTTPVersion } from "find-my-way";
import type { Route } from "../domain/function.ts";

/** Methods that a route without methods answers. */
export const allMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

interface Cell<T> {
  method: string;
  path: string;
  target: T | null;
}

export interface Match<T> {
  target: T;
  /** Decoded; the trailing wildcard is named `*`. */
  params: Record<string, string>;
}

/**
 * Explicit routes by method and pattern. Removing leaves an empty cell behind, so that a change costs the same with one route as with many; the tree is built anew when
 * a lookup falls into an empty cell.
 */
export class Router<T> {
  #cells = new Map<string, Cell<T>>();
  #tree = makeTree();

  get isEmpty(): boolean {
    return this.#cells.size === 0;
  }

  add(route: Route, target: T): void {
    for (const method of methodsOf(route)) {
      const key = `${method} ${route.path}`;
      const known = this.#cells.get(key);
      if (known !== undefined) {
        known.target = target;
        continue;
      }
      const cell: Cell<T> = { method, path: route.path, target };
      this.#cells.set(key, cell);
      this.#tree.on(method as HTTPMethod, route.path, noop, cell);
    }
  }

  /** Takes the route away where it still leads to `target`. */
  remove(route: Route, target: T): void {
    for (const method of methodsOf(route)) {
      const cell = this.#cells.get(`${method} ${route.path}`);
      if (cell?.target === target) cell.target = null;
    }
  }

  find(method: string, path: string): Match<T> | null {
    if (this.#cells.size === 0) return null;
    const found = this.#tree.find(method as HTTPMethod, path);
    if (found === null) return null;
    const cell = found.store as Cell<T>;
    if (cell.target !== null)
      return { target: cell.target, params: found.params as Record<string, string> };
    this.#rebuild();
    return this.find(method, path);
  }

  /** The methods that would have matched the path; for `Allow`. */
  methodsFor(path: string): string[] {
    return this.#cells.size === 0
      ? []
      : allMethods.filter((method) => this.find(method, path) !== null);
  }

  #rebuild(): void {
    this.#tree = makeTree();
    for (const [key, cell] of this.#cells) {
      if (cell.target === null) this.#cells.delete(key);
      else this.#tree.on(cell.method as HTTPMethod, cell.path, noop, cell);
    }
  }
}

function makeTree() {
  return findMyWay<HTTPVersion.V1>({ caseSensitive: true, maxParamLength: 16_384 });
}

function noop(): void {}

function methodsOf(route: Route): readonly string[] {
  if (route.methods.length === 0) return allMethods;
  const hasImpliedHead = route.methods.includes("GET") && !route.methods.includes("HEAD");
  return hasImpliedHead ? [...route.methods, "HEAD"] : route.methods;
}
