import assert from "node:assert/strict";
import type { FastifyInstance, FastifyRequest, RouteOptions } from "fastify";
import { type Authenticator, type Caller, requireScope } from "../auth/authenticator.ts";
import type { Sessions } from "../auth/sessions.ts";
import { DEFAULT_PROJECT } from "../domain/project.ts";
import { IsolaError } from "../errors.ts";
import type { Scope, Store } from "../store/store.ts";
import { sessionTokenOf } from "./session-cookie.ts";
import { invalidRequest } from "./validation.ts";

/**
 * What a route is about. `project`: what one project owns; which one the query names (`project`), else the key, else it is `default`. `shared`: what every key may see, of all
 * projects or as far as its own goes. `server`: what concerns all projects, and is for keys of no project alone.
 */
export type Reach = "project" | "shared" | "server";

/** Who may call a route: everyone, any key, or a key whose scopes allow this one. */
export type Policy = "open" | "any" | { scope: Scope; reach: Reach };

declare module "fastify" {
  interface FastifyContextConfig {
    /** Every route declares one; registering a route without it throws. */
    policy?: Policy;
  }
  interface FastifyRequest {
    /** Null on open routes. */
    caller: Caller | null;
    /** When the browser's session ends; null where the call carries a key. */
    sessionExpiresAt: number | null;
    /** Null where the route is not about one. */
    project: string | null;
  }
}

export interface PolicyOptions {
  authenticator: Authenticator;
  sessions: Sessions;
  store: Pick<Store, "getProject">;
  /** Of routes that come from plugins. */
  foreignPolicies: ReadonlyMap<string, Policy>;
}

/**
 * Refuses at registration a route that declares no policy, and at run time a call that its route's policy does not allow, before the body is read. Which project is meant is
 * found out once the query has been checked.
 */
export function enforcePolicies(app: FastifyInstance, options: PolicyOptions): void {
  const { store, foreignPolicies } = options;
  app.decorateRequest("caller", null);
  app.decorateRequest("sessionExpiresAt", null);
  app.decorateRequest("project", null);
  app.addHook("onRoute", (route: RouteOptions) => {
    const policy = route.config?.policy ?? foreignPolicies.get(route.url);
    assert(policy !== undefined, `route ${String(route.method)} ${route.url} declares no policy`);
    assert(
      typeof policy === "string" || policy.reach !== "project" || takesProject(route),
      `route ${String(route.method)} ${route.url} is about a project and does not take one`,
    );
    route.config = { ...route.config, policy };
  });
  app.addHook("onRequest", async (request) => {
    if (request.is404) return;
    const policy = request.routeOptions.config.policy;
    assert(policy !== undefined);
    if (policy === "open") return;
    await identify(request, options);
    if (policy === "any") return;
    requireScope(callerOf(request), policy.scope);
    if (policy.reach === "server") requireNoProject(callerOf(request));
  });
  app.addHook("preHandler", async (request) => {
    const policy = request.routeOptions.config.policy;
    if (request.is404 || policy === undefined || typeof policy === "string") return;
    if (policy.reach === "project") request.project = await projectAsked(request, store);
  });
}

/** A key goes before a cookie. What a cookie does unasked has to come from a page of ours: the guard has compared an origin that is told with the host. */
async function identify(
  request: FastifyRequest,
  { authenticator, sessions }: PolicyOptions,
): Promise<void> {
  const { authorization, cookie, origin } = request.headers;
  const token = authorization === undefined ? sessionTokenOf(cookie) : null;
  if (token === null) {
    request.caller = await authenticator.authenticate(authorization);
    return;
  }
  const isSafe = request.method === "GET" || request.method === "HEAD";
  if (!isSafe && origin === undefined)
    throw new IsolaError("forbidden", "a change with a session's cookie has to tell its Origin");
  const { caller, expiresAt } = await sessions.authenticate(token);
  request.caller = caller;
  request.sessionExpiresAt = expiresAt;
}

/** The caller of a route that is not open. */
export function callerOf(request: FastifyRequest): Caller {
  assert(request.caller !== null, "the route is open: nobody has been authenticated");
  return request.caller;
}

/** The project that a call is about; it exists, and the caller may see it. */
export function projectOf(request: FastifyRequest): string {
  assert(request.project !== null, "the route is not about a project");
  return request.project;
}

/** The project that a list is about; null: all, which a key of no project may ask for. Throws `invalid_request` where the query names one and asks for all. */
export function projectsOf(request: FastifyRequest): string | null {
  const { project, projects } = request.query as { project?: string; projects?: "all" };
  const own = projectOf(request);
  if (projects === undefined) return own;
  if (project !== undefined)
    throw invalidRequest([
      { path: "query.projects", expected: "either `project` or `projects`", given: "both" },
    ]);
  return callerOf(request).project === null ? null : own;
}

/** Throws `not_found`, as for one that does not exist, where a key of another project asks for this one. */
export function refuseForeign({ project }: Caller, asked: string): void {
  if (project === null || project === asked) return;
  throw new IsolaError("not_found", `project "${asked}" does not exist`);
}

async function projectAsked(
  request: FastifyRequest,
  store: Pick<Store, "getProject">,
): Promise<string> {
  const caller = callerOf(request);
  const { project } = request.query as { project?: string };
  const asked = project ?? caller.project ?? DEFAULT_PROJECT;
  refuseForeign(caller, asked);
  if (asked !== DEFAULT_PROJECT) await store.getProject(asked);
  return asked;
}

function requireNoProject({ project }: Caller): void {
  if (project === null) return;
  throw new IsolaError(
    "forbidden",
    `expected a key of no project, as the call concerns all of them, given one of ${project}`,
  );
}

function takesProject(route: RouteOptions): boolean {
  const query = route.schema?.querystring as { properties?: object } | undefined;
  return Object.hasOwn(query?.properties ?? {}, "project");
}
