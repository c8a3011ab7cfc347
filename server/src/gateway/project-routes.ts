import type { Route } from "../domain/function.ts";
import { DEFAULT_PROJECT, PROJECT_MARK } from "../domain/project.ts";
import { Router } from "./router.ts";

/** Which project a path is about, and what of it is that project's own. */
export interface PlaceInProject {
  /** "" is none: `default` has no prefix of this kind. */
  project: string;
  /** `/~name` as the caller wrote it; "" for `default`. */
  prefix: string;
  /** Begins with `/`. */
  path: string;
}

/** `path` has no query, and its escapes are known to be UTF-8. What begins with the mark is never a path of `default`, whether there is such a project or not. */
export function placeOf(path: string): PlaceInProject {
  const first = path.charAt(1);
  if (first !== PROJECT_MARK && first !== "%")
    return { project: DEFAULT_PROJECT, prefix: "", path };
  const slash = path.indexOf("/", 1);
  const prefix = slash === -1 ? path : path.slice(0, slash);
  const name = decodeURIComponent(prefix.slice(1));
  if (!name.startsWith(PROJECT_MARK)) return { project: DEFAULT_PROJECT, prefix: "", path };
  const project = name.slice(1) === DEFAULT_PROJECT ? "" : name.slice(1);
  return { project, prefix, path: slash === -1 ? "/" : path.slice(slash) };
}

/** The explicit routes of every project, each apart from the others': no route of one has a say in what another answers. */
export class ProjectRoutes<T> {
  readonly #routers = new Map<string, Router<T>>();

  of(project: string): Router<T> | null {
    return this.#routers.get(project) ?? null;
  }

  add(project: string, route: Route, target: T): void {
    const router = this.#routers.get(project) ?? new Router<T>();
    this.#routers.set(project, router);
    router.add(route, target);
  }

  remove(project: string, route: Route, target: T): void {
    const router = this.#routers.get(project);
    router?.remove(route, target);
    if (router?.isEmpty) this.#routers.delete(project);
  }
}
