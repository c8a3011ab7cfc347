import type { Scope } from "../store/store.ts";

/**
 * What each scope allows, beside itself. `read`: every GET but keys. `invoke`: invocations through the API. `deploy`: functions, code, rollback, and what `read`
 * allows. `admin`: everything, keys among it.
 */
const allowedBy: Record<Scope, readonly Scope[]> = {
  admin: ["admin", "deploy", "invoke", "read"],
  deploy: ["deploy", "read"],
  invoke: ["invoke"],
  read: ["read"],
};

export function scopesAllow(scopes: readonly Scope[], needed: Scope): boolean {
  return scopes.some((scope) => allowedBy[scope].includes(needed));
}
