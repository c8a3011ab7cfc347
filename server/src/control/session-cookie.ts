import { isIP } from "node:net";
import { IsolaError } from "../errors.ts";

/** A browser keeps it for this host alone and sends it over HTTPS or to this machine; the gateway hands it to no function, and takes it from none. */
export const SESSION_COOKIE = "__Host-isola-session";

/** The token of the session; null without one. */
export function sessionTokenOf(cookies: string | undefined): string | null {
  if (cookies === undefined) return null;
  for (const pair of cookies.split(";")) {
    const [name, ...rest] = pair.split("=");
    if (name?.trim() === SESSION_COOKIE) return rest.join("=").trim();
  }
  return null;
}

/** What `set-cookie` says; `token` null ends it. */
export function sessionCookie(token: string | null, seconds: number): string {
  const life = token === null ? "Max-Age=0" : `Max-Age=${Math.floor(seconds)}`;
  return `${SESSION_COOKIE}=${token ?? ""}; Path=/; Secure; HttpOnly; SameSite=Strict; ${life}`;
}

/** Throws `forbidden` where a browser would not keep the cookie: plain HTTP from another machine, where anybody on the way could read it. */
export function checkCookieKept(headers: {
  host?: string | undefined;
  origin?: string | undefined;
}): void {
  // Behind a proxy the page's own origin tells how it was reached.
  if (headers.origin?.startsWith("https://") === true) return;
  const name = (headers.host ?? "").replace(/:\d{1,5}$/, "").replace(/^\[|\]$/g, "");
  const isLoopback =
    name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
  if (isLoopback) return;
  throw new IsolaError(
    "forbidden",
    `browsers keep a session only over HTTPS or from the machine itself, not at http://${name}: put a proxy with TLS in front, or use a tunnel (ssh -L 8081:127.0.0.1:8081)`,
  );
}
