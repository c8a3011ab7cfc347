import { httpMethods } from "@isola/api/limits";
import { usageFailure } from "./command.ts";

/** An HTTP request that somebody wrote down. */
export interface WrittenRequest {
  /** Left out: GET, or POST with a body. */
  method?: string;
  /** With the query. */
  path: string;
  headers: [string, string][];
  /** null: there is none. */
  body: Buffer | null;
}

const BODY_MARKS = ["\r\n\r\n", "\n\n"];

/** `POST /orders?x=1`, or `/orders` alone. */
export function requestLine(text: string): Pick<WrittenRequest, "method" | "path"> {
  const [, method, target] =
    /^(?:([A-Za-z]+)\s+)?(\S+)(?:\s+HTTP\/[\d.]+)?$/.exec(text.trim()) ?? [];
  const path = target === undefined ? null : pathOf(target);
  if (path === null)
    throw usageFailure(`--http takes a method and a path, as "POST /orders?x=1", given: ${text}`);
  if (method === undefined) return { path };
  const upper = method.toUpperCase();
  if ((httpMethods as readonly string[]).includes(upper)) return { method: upper, path };
  throw usageFailure(`--http takes one of ${httpMethods.join(", ")}, given: ${method}`);
}

/**
 * A request as it goes over the wire, or as editors keep it (`.http`: lines of `#` or `//` before it, an absolute URL). Line ends may be LF alone. With `content-length`, what stands behind the
 * body is no part of it; without, the rest of the text is the body.
 */
export function writtenRequest(bytes: Buffer): WrittenRequest {
  const { head, body } = parted(bytes);
  const lines = head.split(/\r?\n/);
  while (lines[0] !== undefined && /^\s*(?:#.*|\/\/.*)?$/.test(lines[0])) lines.shift();
  const [first = "", ...rest] = lines;
  const headers = rest.map((line): [string, string] => {
    const at = line.indexOf(":");
    if (at < 1) throw usageFailure(`--http: expected a header as name: value, given: ${line}`);
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return { ...requestLine(first), headers, body: bodyOf(body, headers) };
}

function parted(bytes: Buffer): { head: string; body: Buffer } {
  // Comments and empty lines may stand before the request.
  const start = /^(?:[ \t]*(?:#.*|\/\/.*)?\r?\n)*/.exec(bytes.toString("latin1"))?.[0].length ?? 0;
  const found = BODY_MARKS.map((mark) => ({ at: bytes.indexOf(mark, start), mark }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at)[0];
  if (found === undefined)
    return { head: bytes.toString("utf8", start).trimEnd(), body: Buffer.alloc(0) };
  const { at, mark } = found;
  return { head: bytes.toString("utf8", start, at), body: bytes.subarray(at + mark.length) };
}

function bodyOf(body: Buffer, headers: readonly [string, string][]): Buffer | null {
  const valueOf = (name: string) => headers.find(([key]) => key.toLowerCase() === name)?.[1];
  if (valueOf("transfer-encoding") !== undefined)
    throw usageFailure("--http takes a body as it is, not one with transfer-encoding");
  const length = valueOf("content-length");
  if (length === undefined) return body.length === 0 ? null : body;
  if (!/^\d{1,15}$/.test(length) || Number(length) > body.length)
    throw usageFailure(`--http: content-length is ${length} and the body has ${body.length} bytes`);
  return Number(length) === 0 ? null : body.subarray(0, Number(length));
}

/** Path and query; of an absolute URL those that it has. null: neither. */
function pathOf(target: string): string | null {
  if (target.startsWith("/")) return target;
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) return null;
  const { pathname, search } = new URL(target);
  return pathname + search;
}
