/** A request as the reference reads it. */
export interface ReadRequest {
  method: string;
  target: string;
  /** ISO-8859-1. */
  body: string;
}

const linePattern = /^([A-Z-]+) +([\x21-\x7e]+) +HTTP\/1\.([01])$/;
const headerPattern = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
const chunkPattern = /^([0-9a-fA-F]+)((?:;[\t\x20-\x7e\x80-\xff]*)?)$/;

/**
 * Every request that may be found in what came on one connection, read by RFC 9112 and with the leave that it gives: empty lines before a request, and more than one space
 * in its first line. Reading ends with the first thing that is not as it should be, with an unfinished request, and after a last one.
 */
export function readRequests(text: string): ReadRequest[] {
  const requests: ReadRequest[] = [];
  let rest = text;
  for (;;) {
    rest = rest.replace(/^[\r\n]+/, "");
    const end = rest.indexOf("\r\n\r\n");
    if (end === -1) return requests;
    const [line = "", ...lines] = rest.slice(0, end).split("\r\n");
    const [, method, target, minor] = linePattern.exec(line) ?? [];
    const headers = headersOf(lines);
    if (method === undefined || target === undefined || headers === null) return requests;
    const read = bodyOf(headers, rest.slice(end + 4));
    if (read === null) return requests;
    requests.push({ method, target, body: read.body });
    const options = valuesOf(headers, "connection")
      .join()
      .toLowerCase()
      .split(/\s*,\s*/);
    const isLast = options.includes("close") || (minor === "0" && !options.includes("keep-alive"));
    if (isLast) return requests;
    rest = read.rest;
  }
}

type Headers = [name: string, value: string][];

function headersOf(lines: string[]): Headers | null {
  const headers: Headers = [];
  for (const line of lines) {
    const [, name, value] = headerPattern.exec(line) ?? [];
    if (name === undefined || value === undefined) return null;
    headers.push([name.toLowerCase(), value]);
  }
  return headers;
}

function valuesOf(headers: Headers, name: string): string[] {
  return headers.filter(([known]) => known === name).map(([, value]) => value);
}

function bodyOf(headers: Headers, text: string): { body: string; rest: string } | null {
  const lengths = valuesOf(headers, "content-length");
  const codings = valuesOf(headers, "transfer-encoding");
  if (lengths.length + codings.length > 1) return null;
  if (codings.length === 1) return codings[0]?.toLowerCase() === "chunked" ? chunksOf(text) : null;
  if (lengths.length === 0) return { body: "", rest: text };
  const length = /^\d+$/.test(lengths[0] as string) ? Number(lengths[0]) : Number.NaN;
  return text.length >= length ? { body: text.slice(0, length), rest: text.slice(length) } : null;
}

function chunksOf(text: string): { body: string; rest: string } | null {
  let body = "";
  let rest = text;
  for (;;) {
    const end = rest.indexOf("\r\n");
    const size = end === -1 ? undefined : chunkPattern.exec(rest.slice(0, end))?.[1];
    if (size === undefined) return null;
    const length = Number.parseInt(size, 16);
    rest = rest.slice(end + 2);
    if (length === 0) break;
    if (rest.slice(length, length + 2) !== "\r\n") return null;
    body += rest.slice(0, length);
    rest = rest.slice(length + 2);
  }
  const end = rest.startsWith("\r\n") ? -2 : rest.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const trailers = end === -2 ? [] : headersOf(rest.slice(0, end).split("\r\n"));
  return trailers === null ? null : { body, rest: rest.slice(end + 4) };
}
