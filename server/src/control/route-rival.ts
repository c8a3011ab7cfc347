import type { Route } from "../domain/function.ts";
import {
  type RouteEnd,
  type RouteNode,
  type RouteTree,
  isParam,
  methodBits,
  segmentsOf,
} from "../domain/route-tree.ts";

interface Search<T> {
  segments: readonly string[];
  methods: number;
  isOther(owner: T): boolean;
}

/** How the route compares with the node so far: whether it holds all of its paths, and whether all of its own are held. */
interface Place {
  at: number;
  isWider: boolean;
  isNarrower: boolean;
}

/**
 * A route of another owner that conflicts with this one; null where there is none. Two routes conflict when some request fits both and neither path is strictly more specific: when the one's
 * paths are not a true part of the other's. `/a/:x` yields to `/a/b`, and `/a/*` to `/a/:x`; `/a/:x` and `/:y/b` conflict, for `/a/b` fits both. Follows only what can fit: one
 * literal and the parameter at each segment, and all literals where the route has a parameter.
 */
export function findRival<T>(
  tree: RouteTree<T>,
  route: Route,
  isOther: (owner: T) => boolean,
): RouteEnd<T> | null {
  const search = { segments: segmentsOf(route.path), methods: methodBits(route), isOther };
  return rivalBelow(tree.root, search, { at: 0, isWider: true, isNarrower: true });
}

function rivalBelow<T>(node: RouteNode<T>, search: Search<T>, place: Place): RouteEnd<T> | null {
  const { at, isWider, isNarrower } = place;
  const segment = search.segments[at];
  if (segment === undefined) return isWider === isNarrower ? rivalIn(node.end, search) : null;
  if (segment === "*") return rivalBelowRest(node, search, place);
  const rest = isNarrower ? null : rivalIn(node.rest, search);
  if (rest !== null) return rest;
  const next = { at: at + 1, isWider, isNarrower };
  if (!isParam(segment)) {
    const literal = node.literal(segment);
    const found = literal === null ? null : rivalBelow(literal, search, next);
    if (found !== null || node.param === null) return found;
    return rivalBelow(node.param, search, { ...next, isWider: false });
  }
  if (node.param !== null) {
    const found = rivalBelow(node.param, search, next);
    if (found !== null) return found;
  }
  for (const literal of node.literals()) {
    const found = rivalBelow(literal, search, { ...next, isNarrower: false });
    if (found !== null) return found;
  }
  return null;
}

/** The route takes everything from here on: what lies below conflicts unless it is held as a whole. */
function rivalBelowRest<T>(
  node: RouteNode<T>,
  search: Search<T>,
  { isWider, isNarrower }: Place,
): RouteEnd<T> | null {
  const rest = isWider === isNarrower ? rivalIn(node.rest, search) : null;
  return rest !== null || isWider ? rest : anyBelow(node, search);
}

function anyBelow<T>(node: RouteNode<T>, search: Search<T>): RouteEnd<T> | null {
  const children = [...(node.param === null ? [] : [node.param]), ...node.literals()];
  for (const child of children) {
    const found =
      rivalIn(child.end, search) ?? rivalIn(child.rest, search) ?? anyBelow(child, search);
    if (found !== null) return found;
  }
  return null;
}

function rivalIn<T>(end: RouteEnd<T> | null, search: Search<T>): RouteEnd<T> | null {
  return firstOf(
    end,
    ({ methods, owner }) => (methods & search.methods) !== 0 && search.isOther(owner),
  );
}

export function firstOf<T>(
  end: RouteEnd<T> | null,
  holds: (end: RouteEnd<T>) => boolean,
): RouteEnd<T> | null {
  for (let one = end; one !== null; one = one.next) if (holds(one)) return one;
  return null;
}
