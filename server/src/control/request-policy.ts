import assert from "node:assert/strict";
import type { FastifyInstance, FastifyRequest, RouteOptions } from "fastify";
import { type Authenticator, type Caller, requireScope } from "../auth/authenticator.ts";
import type { Sessions } from "../auth/sessions.ts";
import { IsolaError } from "../errors.ts";
import type { Scope } from "../store/store.ts";
import { sessionTokenOf } from "./session-cookie.ts";

/** Who may call a route: everyone, any key, or a key whose scopes allow this one. */
export type Policy = "open" | "any" | { scope: Scope };

export interface Who {
  authenticator: Authenticator;
  sessions: Sessions;
}

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
  }
}

/**
 * Refuses at registration a route that declares no policy, and at run time a call that its route's policy does not allow, before the body is read.
 * `foreignPolicies` speaks for routes that come from plugins.
 */
export function enforcePolicies(
  app: FastifyInstance,
  who: Who,
  foreignPolicies: ReadonlyMap<string, Policy>,
): void {
  app.decorateRequest("caller", null);
  app.decorateRequest("sessionExpiresAt", null);
  app.addHook("onRoute", (route: RouteOptions) => {
    const policy = route.config?.policy ?? foreignPolicies.get(route.url);
    assert(policy !== undefined, `route ${String(route.method)} ${route.url} declares no policy`);
    route.config = { ...route.config, policy };
  });
  app.addHook("onRequest", async (request) => {
    if (request.is404) return;
    const policy = request.routeOptions.config.policy;
    assert(policy !== undefined);
    if (policy === "open") return;
    await identify(request, who);
    if (policy !== "any") requireScope(callerOf(request), policy.scope);
  });
}

/** A key goes before a cookie. What a cookie does unasked has to come from a page of ours: the guard has compared an origin that is told with the host. */
async function identify(request: FastifyRequest, { authenticator, sessions }: Who): Promise<void> {
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
