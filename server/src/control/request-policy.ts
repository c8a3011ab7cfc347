import assert from "node:assert/strict";
import type { FastifyInstance, FastifyRequest, RouteOptions } from "fastify";
import { type Authenticator, type Caller, requireScope } from "../auth/authenticator.ts";
import type { Scope } from "../store/store.ts";

/** Who may call a route: everyone, or a key whose scopes allow this one. */
export type Policy = "open" | { scope: Scope };

declare module "fastify" {
  interface FastifyContextConfig {
    /** Every route declares one; registering a route without it throws. */
    policy?: Policy;
  }
  interface FastifyRequest {
    /** Null on open routes. */
    caller: Caller | null;
  }
}

/**
 * Refuses at registration a route that declares no policy, and at run time a call that its route's policy does not allow, before the body is read.
 * `foreignPolicies` speaks for routes that come from plugins.
 */
export function enforcePolicies(
  app: FastifyInstance,
  authenticator: Authenticator,
  foreignPolicies: ReadonlyMap<string, Policy>,
): void {
  app.decorateRequest("caller", null);
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
    request.caller = await authenticator.authenticate(request.headers.authorization);
    requireScope(request.caller, policy.scope);
  });
}

/** The caller of a route that is not open. */
export function callerOf(request: FastifyRequest): Caller {
  assert(request.caller !== null, "the route is open: nobody has been authenticated");
  return request.caller;
}
