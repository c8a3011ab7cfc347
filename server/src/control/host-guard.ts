import type { IncomingHttpHeaders } from "node:http";
import { IsolaError } from "../errors.ts";

const loopback = ["localhost", "127.0.0.1", "[::1]"];
const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

export type HostGuard = (method: string, headers: IncomingHttpHeaders) => void;

/**
 * Throws `forbidden` for a `Host` that is not one of ours, so that a foreign name resolved to this machine (DNS rebinding) leads nowhere, and for an
 * unsafe call that a browser makes on behalf of another site.
 */
export function hostGuard(allowedHosts: readonly string[]): HostGuard {
  const allowed = new Set([...loopback, ...allowedHosts.map(bracketed)]);
  return (method, headers) => {
    const host = hostnameOf(headers.host ?? "");
    if (host === null || !allowed.has(host))
      throw new IsolaError(
        "forbidden",
        `the API does not answer to Host ${shown(headers.host)}; the setting allowedHosts adds names`,
      );
    if (safeMethods.has(method)) return;
    const { origin } = headers;
    const site = headers["sec-fetch-site"];
    if (origin !== undefined && !isOwnOrigin(origin, headers.host ?? ""))
      throw new IsolaError("forbidden", `calls from the origin ${shown(origin)} are refused`);
    if (site !== undefined && site !== "same-origin" && site !== "none")
      throw new IsolaError("forbidden", "calls that a browser makes for another site are refused");
  };
}

/** Without port, lower case; null where it is no host. */
function hostnameOf(host: string): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/.exec(host.toLowerCase());
  return match?.[1] ?? null;
}

/** The page came from where the call goes to: same name and port. */
function isOwnOrigin(origin: string, host: string): boolean {
  return /^https?:\/\//.test(origin) && origin.slice(origin.indexOf("//") + 2) === host;
}

function bracketed(host: string): string {
  const name = host.toLowerCase();
  return name.includes(":") && !name.startsWith("[") ? `[${name}]` : name;
}

function shown(text: unknown): string {
  return JSON.stringify(typeof text === "string" ? text.slice(0, 100) : "");
}
