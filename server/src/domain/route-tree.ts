import type { Route } from "./function.ts";

/** Every method there is; a route that names none answers them all. */
export const allMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** One route of one owner. */
export interface RouteEnd<T> {
  readonly path: string;
  readonly owner: T;
  /** What it answers, as bits: see `methodBit`. */
  readonly methods: number;
  /** Of the parameters, in their order; the trailing wildcard has none. */
  readonly names: readonly string[];
  /** An older one that ends at the same place. */
  next: RouteEnd<T> | null;
}

/**
 * Routes by their segments, one node a segment, so that a lookup and a change cost the length of a path and not the number of routes. A node with one literal below it, which most
 * are, has no map.
 */
export class RouteNode<T> {
  /** The newest route that ends with this segment. */
  end: RouteEnd<T> | null = null;
  /** The newest route that ends with `*` below this segment. */
  rest: RouteEnd<T> | null = null;
  /** What lies below `:name`. */
  param: RouteNode<T> | null = null;
  #text = "";
  #only: RouteNode<T> | null = null;
  #literals: Map<string, RouteNode<T>> | null = null;

  /** What lies below this text. */
  literal(text: string): RouteNode<T> | null {
    if (this.#literals !== null) return this.#literals.get(text) ?? null;
    return this.#only !== null && this.#text === text ? this.#only : null;
  }

  literals(): Iterable<RouteNode<T>> {
    if (this.#literals !== null) return this.#literals.values();
    return this.#only === null ? [] : [this.#only];
  }

  get isEmpty(): boolean {
    return (
      this.#only === null &&
      this.#literals === null &&
      this.param === null &&
      this.end === null &&
      this.rest === null
    );
  }

  addLiteral(text: string): RouteNode<T> {
    const node = new RouteNode<T>();
    if (this.#literals !== null) this.#literals.set(text, node);
    else if (this.#only === null) [this.#text, this.#only] = [text, node];
    else {
      this.#literals = new Map([
        [this.#text, this.#only],
        [text, node],
      ]);
      [this.#text, this.#only] = ["", null];
    }
    return node;
  }

  removeLiteral(text: string): void {
    if (this.#literals === null) {
      if (this.#text === text) [this.#text, this.#only] = ["", null];
      return;
    }
    this.#literals.delete(text);
    if (this.#literals.size === 0) this.#literals = null;
  }
}

/** Where the routes of a tree begin. */
export class RouteTree<T> {
  readonly root = new RouteNode<T>();

  add(route: Route, owner: T): void {
    const segments = segmentsOf(route.path);
    const names = segments.filter(isParam).map((segment) => segment.slice(1));
    const end = { path: route.path, owner, methods: methodBits(route), names };
    let node = this.root;
    for (const segment of segments) {
      if (segment === "*") {
        node.rest = { ...end, next: node.rest };
        return;
      }
      if (isParam(segment)) node = node.param ??= new RouteNode<T>();
      else node = node.literal(segment) ?? node.addLiteral(segment);
    }
    node.end = { ...end, next: node.end };
  }

  /** Takes away what was added with this path for this owner, and the nodes that lead to nothing afterwards. */
  remove(path: string, owner: T): void {
    removeBelow(this.root, segmentsOf(path), 0, owner);
  }
}

function removeBelow<T>(
  node: RouteNode<T>,
  segments: readonly string[],
  at: number,
  owner: T,
): void {
  const segment = segments[at];
  if (segment === undefined) {
    node.end = without(node.end, owner);
    return;
  }
  if (segment === "*") {
    node.rest = without(node.rest, owner);
    return;
  }
  const next = isParam(segment) ? node.param : node.literal(segment);
  if (next === null) return;
  removeBelow(next, segments, at + 1, owner);
  if (!next.isEmpty) return;
  if (isParam(segment)) node.param = null;
  else node.removeLiteral(segment);
}

function without<T>(end: RouteEnd<T> | null, owner: T): RouteEnd<T> | null {
  if (end === null) return null;
  end.next = without(end.next, owner);
  return end.owner === owner ? end.next : end;
}

/** 0 for a method that no route answers. */
export function methodBit(method: string): number {
  const at = (allMethods as readonly string[]).indexOf(method);
  return at === -1 ? 0 : 1 << at;
}

/** None named means all, and GET brings HEAD. */
export function methodBits({ methods }: Route): number {
  if (methods.length === 0) return 2 ** allMethods.length - 1;
  const bits = methods.reduce((all, method) => all | methodBit(method), 0);
  return methods.includes("GET") ? bits | methodBit("HEAD") : bits;
}

/** `/users/:id` -> `users`, `:id`; `/` is one empty segment. */
export function segmentsOf(path: string): string[] {
  return path.slice(1).split("/");
}

export function isParam(segment: string): boolean {
  return segment.startsWith(":");
}
