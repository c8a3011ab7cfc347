import type { IncomingMessage } from "node:http";
import { IsolaError } from "../errors.ts";

const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Set by the gateway alone, whatever a caller says. */
function isReplaced(name: string): boolean {
  return (
    name.startsWith("isola-") ||
    name.startsWith("x-forwarded-") ||
    name === "forwarded" ||
    name === "expect"
  );
}

const KNOWN_NAMES_MAX = 2000;
/** Header name as received -> lower case, or "" where it is not passed on. Bounded; saves the work for the few names that callers use. */
const requestNames = new Map<string, string>();
const responseNames = new Map<string, string>();

function requestName(name: string): string {
  const known = requestNames.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  return remember(requestNames, name, hopByHop.has(lower) || isReplaced(lower) ? "" : lower);
}

function responseName(name: string): string {
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
  if (map.size < KNOWN_NAMES_MAX) map.set(name, value);
  return value;
}

/**
 * The request's headers as the protocol wants them (`\nname\nvalue` each), without hop-by-hop headers and those that `Connection` names; `isola-*`, `x-forwarded-*` and
 * `forwarded` are replaced by what the gateway knows. Throws `bad_http` on a second `Host`.
 */
export function requestHeaderBlock(request: IncomingMessage): string {
  const { rawHeaders } = request;
  const connection = request.headers.connection;
  const named = connection === undefined || isPlain(connection) ? null : listed(connection);
  let block = "";
  let host: string | null = null;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = requestName(rawHeaders[at] as string);
    const value = rawHeaders[at + 1] as string;
    if (name === "host") host = checkedHost(value, host);
    else if (name === "" || named?.has(name) === true) continue;
    block += `\n${name}\n${value}`;
  }
  return `${block}\nx-forwarded-for\n${request.socket.remoteAddress ?? ""}\nx-forwarded-proto\nhttp\nx-forwarded-host\n${host ?? ""}`;
}

/** The one `Host`; its characters are those of names, addresses and ports. */
function checkedHost(value: string, before: string | null): string {
  if (before !== null) throw new IsolaError("bad_http", "the request has two Host headers");
  if (!/^[\w.:[\]-]{0,300}$/.test(value))
    throw new IsolaError("bad_http", "the Host header holds characters that no host has");
  return value;
}

function isPlain(connection: string): boolean {
  return connection === "keep-alive" || connection === "close" || connection === "Keep-Alive";
}

function listed(connection: string): Set<string> {
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
}

export interface ResponseHeaders {
  /** Flat, lower case, hop-by-hop removed. */
  headers: string[];
  /** -1 without `content-length`. */
  contentLength: number;
}

/** Checks what a function wants to send. Returns what is wrong with it instead. Characters are checked by whoever sends. */
export function responseHeaders(given: string[], bytesMax: number): ResponseHeaders | string {
  const headers: string[] = [];
  let contentLength = -1;
  let bytes = 0;
  for (let at = 0; at < given.length; at += 2) {
    const name = responseName(given[at] as string);
    const value = given[at + 1] as string;
    bytes += name.length + value.length + 4;
    if (name === "") continue;
    if (name === "content-length") {
      if (contentLength !== -1) return "the response has two content-length headers";
      if (!/^\d{1,15}$/.test(value))
        return `content-length ${JSON.stringify(value)} is not a number`;
      contentLength = Number(value);
    }
    headers.push(name, value);
  }
  if (bytes > bytesMax) return `the response's headers have ${bytes} bytes, more than ${bytesMax}`;
  return { headers, contentLength };
}
