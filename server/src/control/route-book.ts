import type { Route } from "../domain/function.ts";
import { RouteTree } from "../domain/route-tree.ts";
import { IsolaError } from "../errors.ts";
import { findRival, firstOf } from "./route-rival.ts";

/** The route that a function is to have; null: only `/<name>` and what lies below it. */
export interface Claim {
  name: string;
  route: Route | null;
}

const TAKES_EVERY_NAME = /^\/(?:\*|:[^/]+)$/;

interface Owner {
  name: string;
  route: Route;
}

/** The routes of all live revisions of a project. */
export class RouteBook {
  readonly #tree = new RouteTree<Owner>();
  readonly #routed = new Map<string, Owner>();
  /** Those that have only their default route. */
  readonly #plain = new Set<string>();

  /**
   * Throws `route_conflict`, naming both sides, where the function would answer what another one answers. Explicit routes win over the default routes `/<name>`; so a function
   * without a route of its own must not lose its default route to another's explicit one, whichever comes first. The caller holds off other changes until it has committed.
   */
  check(claim: Claim): void {
    if (claim.route === null) this.#checkDefault(claim);
    else this.#checkRoute(claim, claim.route);
  }

  /** What has been committed. */
  put({ name, route }: Claim): void {
    this.delete(name);
    if (route === null) {
      this.#plain.add(name);
      return;
    }
    const owner = { name, route };
    this.#routed.set(name, owner);
    this.#tree.add(route, owner);
  }

  delete(name: string): void {
    const owner = this.#routed.get(name);
    this.#plain.delete(name);
    if (owner === undefined) return;
    this.#routed.delete(name);
    this.#tree.remove(owner.route.path, owner);
  }

  #checkDefault(claim: Claim): void {
    const { root } = this.#tree;
    const places = [root.literal(claim.name)?.end, root.param?.end, root.rest];
    for (const place of places) {
      const end = firstOf(place ?? null, (other) => other.owner.name !== claim.name);
      if (end === null) continue;
      throw conflict(
        `/${claim.name}, the default route of ${claim.name}, is taken by ${shownRoute(end.owner.route)} of ${end.owner.name}; give ${claim.name} a route or another name`,
      );
    }
  }

  #checkRoute(claim: Claim, route: Route): void {
    const rival = findRival(this.#tree, route, (owner) => owner.name !== claim.name);
    if (rival !== null)
      throw conflict(
        `${shownRoute(route)} of ${claim.name} and ${shownRoute(rival.owner.route)} of ${rival.owner.name} answer the same requests; change one of them`,
      );
    const hidden = this.#hiddenBy(claim, route);
    if (hidden !== null)
      throw conflict(
        `${shownRoute(route)} of ${claim.name} would take /${hidden}, the default route of ${hidden}; give ${hidden} a route first, or choose another path`,
      );
  }

  /** A function that has only its default route, which the route would take. */
  #hiddenBy(claim: Claim, route: Route): string | null {
    const literal = /^\/([a-z][a-z0-9-]*)$/.exec(route.path)?.[1];
    if (literal !== undefined) {
      return this.#plain.has(literal) && literal !== claim.name ? literal : null;
    }
    if (!TAKES_EVERY_NAME.test(route.path)) return null;
    for (const name of this.#plain) if (name !== claim.name) return name;
    return null;
  }
}

function shownRoute(route: Route): string {
  return route.methods.length === 0 ? route.path : `${route.methods.join(",")} ${route.path}`;
}

function conflict(message: string): IsolaError {
  return new IsolaError("route_conflict", message);
}
