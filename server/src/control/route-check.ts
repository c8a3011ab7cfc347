import type { Route } from "../domain/function.ts";
import { IsolaError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { matchesPath, routesConflict } from "./route-pattern.ts";

type Routes = Pick<Store, "liveRoutes" | "deployedFunctions" | "getFunction" | "getRevision">;

export interface Claim {
  project: string;
  name: string;
  route: Route | null;
}

/**
 * Throws `route_conflict`, naming both sides, where the function would answer what another one answers. Explicit routes win over the default routes `/<name>`; so a function
 * without a route of its own must not lose its default route to another's explicit one, whichever comes first. The caller holds off other changes until it has committed.
 */
export async function checkRoutes(store: Routes, claim: Claim): Promise<void> {
  const others = (await store.liveRoutes()).filter(
    (other) => other.name !== claim.name || other.project !== claim.project,
  );
  if (claim.route === null) {
    const hiding = others.find((other) => matchesPath(other.path, `/${claim.name}`));
    if (hiding === undefined) return;
    throw conflict(
      `/${claim.name}, the default route of ${claim.name}, is taken by ${shownRoute(hiding)} of ${hiding.name}; give ${claim.name} a route or another name`,
    );
  }
  const { route } = claim;
  const rival = others.find((other) => routesConflict(route, other));
  if (rival !== undefined)
    throw conflict(
      `${shownRoute(route)} of ${claim.name} and ${shownRoute(rival)} of ${rival.name} answer the same requests; change one of them`,
    );
  const hidden = await findHidden(store, claim, route);
  if (hidden !== null)
    throw conflict(
      `${shownRoute(route)} of ${claim.name} would take /${hidden}, the default route of ${hidden}; give ${hidden} a route first, or choose another path`,
    );
}

/** A function that has only its default route, which the route would take. */
async function findHidden(store: Routes, claim: Claim, route: Route): Promise<string | null> {
  const literal = /^\/([a-z][a-z0-9-]*)$/.exec(route.path)?.[1];
  if (literal !== undefined) {
    const isOther = literal !== claim.name;
    return isOther && (await hasOnlyDefault(store, claim.project, literal)) ? literal : null;
  }
  if (!matchesPath(route.path, "/any")) return null;
  const functions = await store.deployedFunctions();
  const hidden = functions.find(
    (fn) => fn.settings.route === null && fn.name !== claim.name && fn.project === claim.project,
  );
  return hidden?.name ?? null;
}

async function hasOnlyDefault(store: Routes, project: string, name: string): Promise<boolean> {
  try {
    const fn = await store.getFunction(project, name);
    return (await store.getRevision(fn.id, fn.liveRevision)).settings.route === null;
  } catch (error) {
    if (error instanceof IsolaError && error.code === "not_found") return false;
    throw error;
  }
}

function shownRoute(route: Route): string {
  return route.methods.length === 0 ? route.path : `${route.methods.join(",")} ${route.path}`;
}

function conflict(message: string): IsolaError {
  return new IsolaError("route_conflict", message);
}
