import { hopByHop } from "../domain/hop-by-hop.ts";

/** What belongs to the request and not to the connection: a `Connection` that names one of these would take it away from the function. */
export const endToEnd = new Set([
  "host",
  "content-length",
  "content-type",
  "authorization",
  "cookie",
]);

/** Said by the gateway alone, or dangerous where it is believed, whatever a caller says. */
function isReplaced(name: string): boolean {
  return (
    name.startsWith("isola-") ||
    name.startsWith("x-forwarded-") ||
    name === "forwarded" ||
    name === "x-real-ip" ||
    name === "proxy" ||
    name === "expect"
  );
}

/** `Content_Length` and its like are the same as `content-length` to whoever makes variables of headers (CGI, WSGI). */
function isLookalike(name: string): boolean {
  if (!name.includes("_")) return false;
  const plain = name.replaceAll("_", "-");
  return hopByHop.has(plain) || isReplaced(plain) || endToEnd.has(plain);
}

/** Said by the gateway alone while tracing is on. Lower case. */
export function isTraceName(name: string): boolean {
  return name === "traceparent" || name === "tracestate";
}

const KNOWN_NAMES_MAX = 2000;
const KNOWN_NAME_CHARS_MAX = 64;
/** Header name as received -> lower case, or "" where it is not passed on. Bounded in number and length; saves the work for the few names that callers use. */
const requestNames = new Map<string, string>();
const responseNames = new Map<string, string>();

/** Lower case; "" where it is not passed on to a function. */
export function requestName(name: string): string {
  const known = requestNames.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  const isDropped = hopByHop.has(lower) || isReplaced(lower) || isLookalike(lower);
  return remember(requestNames, name, isDropped ? "" : lower);
}

/** Lower case; "" where it is not passed on to a caller. */
export function responseName(name: string): string {
  const known = responseNames.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  return remember(
    responseNames,
    name,
    hopByHop.has(lower) || lower.startsWith("isola-") ? "" : lower,
  );
}

function remember(map: Map<string, string>, name: string, value: string): string {
  if (name.length > KNOWN_NAME_CHARS_MAX) return value;
  if (map.size >= KNOWN_NAMES_MAX) map.clear();
  map.set(name, value);
  return value;
}
