import type { IncomingMessage } from "node:http";
import { fixedLimits } from "../domain/limits.ts";
import { IsolaError } from "../errors.ts";
import type { StartedTrace } from "./call-traces.ts";
import type { CallerOrigin } from "./caller-origin.ts";
import { endToEnd, isTraceName, requestName, responseName } from "./header-names.ts";

/** Cookies of the console begin with this: functions neither get nor set them. */
const CONSOLE_COOKIE = "__Host-isola";

/**
 * The request's headers as the protocol wants them (`\nname\nvalue` each), without hop-by-hop headers and those that `Connection` names, and without the console's
 * cookies; `isola-*`, `x-forwarded-*` and `forwarded` are replaced by what the gateway knows, and so, with `trace`, is what tells of traces. Throws `bad_http` and
 * `headers_too_large`.
 */
export function requestHeaderBlock(
  request: IncomingMessage,
  trace: Pick<StartedTrace, "headerBlock"> | null,
  { address, scheme }: CallerOrigin,
): string {
  const { rawHeaders } = request;
  const connection = request.headers.connection;
  const named = connection === undefined || isPlain(connection) ? null : nominated(connection);
  let block = "";
  let host: string | null = null;
  let bytes = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const given = rawHeaders[at] as string;
    const name = requestName(given);
    let value = rawHeaders[at + 1] as string;
    bytes += given.length + value.length + 4;
    if (name === "host") host = checkedHost(value, host);
    else if (name === "" || named?.has(name) === true) continue;
    else if (trace !== null && isTraceName(name)) continue;
    else if (name === "cookie" && value.includes(CONSOLE_COOKIE)) {
      value = withoutConsole(value);
      if (value === "") continue;
    }
    block += `\n${name}\n${value}`;
  }
  if (bytes > fixedLimits.headerBytesMax)
    throw new IsolaError(
      "headers_too_large",
      `the request's headers have ${bytes} bytes, more than ${fixedLimits.headerBytesMax}`,
    );
  if (trace !== null) block += trace.headerBlock;
  return `${block}\nx-forwarded-for\n${address}\nx-forwarded-proto\n${scheme}\nx-forwarded-host\n${host ?? ""}`;
}

const KNOWN_HOSTS_MAX = 1000;
const knownHosts = new Set<string>();

/** The one `Host`: a name or address, and a port; something that a URL can be made of. */
function checkedHost(value: string, before: string | null): string {
  if (before !== null) throw new IsolaError("bad_http", "the request has two Host headers");
  if (knownHosts.has(value)) return value;
  const isHost = /^(?:[\w.-]{1,255}|\[[\da-fA-F:.]{2,45}\])(?::\d{1,5})?$/.test(value);
  if (value !== "" && !(isHost && URL.canParse(`http://${value}/`)))
    throw new IsolaError("bad_http", "the Host header is not a host");
  if (knownHosts.size >= KNOWN_HOSTS_MAX) knownHosts.clear();
  knownHosts.add(value);
  return value;
}

function isPlain(connection: string): boolean {
  return connection === "keep-alive" || connection === "close" || connection === "Keep-Alive";
}

function listed(connection: string): Set<string> {
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
}

function nominated(connection: string): Set<string> {
  const names = listed(connection);
  for (const name of names)
    if (endToEnd.has(name))
      throw new IsolaError("bad_http", `Connection names ${name}, which is not the connection's`);
  return names;
}

function withoutConsole(cookies: string): string {
  const pairs = cookies.split(";").map((pair) => pair.trim());
  return pairs.filter((pair) => pair !== "" && !pair.startsWith(CONSOLE_COOKIE)).join("; ");
}

const none: ReadonlySet<string> = new Set();

export interface ResponseHeaders {
  /** Flat, lower case, hop-by-hop removed. */
  headers: string[];
  /** -1 without `content-length`. */
  contentLength: number;
}

/**
 * Checks what a function wants to send. Returns what is wrong with it instead. Characters are checked by whoever sends. `isEmpty`: the status has no body, and so
 * no length.
 */
export function responseHeaders(
  given: string[],
  bytesMax: number,
  isEmpty: boolean,
): ResponseHeaders | string {
  const headers: string[] = [];
  let contentLength = -1;
  let bytes = 0;
  let named: Set<string> | null = null;
  for (let at = 0; at < given.length; at += 2) {
    const name = responseName(given[at] as string);
    const value = given[at + 1] as string;
    bytes += (given[at] as string).length + value.length + 4;
    if (name === "") {
      if (isConnection(given[at] as string)) named = listed(value).union(named ?? none);
      continue;
    }
    if (name === "content-length") {
      if (contentLength !== -1) return "the response has two content-length headers";
      if (!/^\d{1,15}$/.test(value))
        return `content-length ${JSON.stringify(value)} is not a number`;
      contentLength = Number(value);
      if (isEmpty) continue;
    }
    if (name === "set-cookie" && value.trimStart().startsWith(CONSOLE_COOKIE)) continue;
    headers.push(name, value);
  }
  if (bytes > bytesMax) return `the response's headers have ${bytes} bytes, more than ${bytesMax}`;
  if (isEmpty) contentLength = -1;
  return { headers: named === null ? headers : without(named, headers), contentLength };
}

function isConnection(name: string): boolean {
  return name.length === 10 && name.toLowerCase() === "connection";
}

/** A length, once checked, is not the function's to take back. */
function without(named: Set<string>, headers: string[]): string[] {
  const isKept = (at: number) =>
    headers[at] === "content-length" || !named.has(headers[at] as string);
  return headers.filter((_text, at) => isKept(at - (at % 2)));
}
