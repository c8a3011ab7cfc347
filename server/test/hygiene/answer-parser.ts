interface Read {
  body: Buffer;
  bytesUsed: number;
}

export interface RawAnswer {
  status: number;
  /** Names in lower case, in order, duplicates kept. */
  headers: [name: string, value: string][];
  body: Buffer;
  /** Whether the server says that it ends the connection. */
  isLast: boolean;
}

/** What came is no HTTP/1.1 response. */
class MalformedAnswer extends Error {}

const headerPattern = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;

/**
 * Reads one response from the front of `bytes`, as strictly as RFC 9112 lets a recipient be; null while it is incomplete. `isBodiless`: it answers a `HEAD`.
 * `hasEnded`: nothing more comes. Throws `MalformedAnswer`.
 */
export function parseAnswer(
  bytes: Buffer,
  isBodiless: boolean,
  hasEnded: boolean,
): { answer: RawAnswer; bytesUsed: number } | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return startProblem(bytes);
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = /^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e\x80-\xff]*$/.exec(statusLine)?.[1];
  if (status === undefined) throw new MalformedAnswer(`status line ${JSON.stringify(statusLine)}`);
  const headers = lines.map(headerOf);
  const answer: RawAnswer = {
    status: Number(status),
    headers,
    body: Buffer.alloc(0),
    isLast: false,
  };
  answer.isLast = valuesOf(answer, "connection").some((value) => value.toLowerCase() === "close");
  const isEmpty = isBodiless || answer.status < 200 || [204, 304].includes(answer.status);
  const content = bytes.subarray(end + 4);
  const read = isEmpty ? { body: answer.body, bytesUsed: 0 } : bodyOf(answer, content, hasEnded);
  if (read === null) return null;
  answer.body = read.body;
  return { answer, bytesUsed: end + 4 + read.bytesUsed };
}

export function valuesOf({ headers }: Pick<RawAnswer, "headers">, name: string): string[] {
  return headers.filter(([known]) => known === name).map(([, value]) => value);
}

function startProblem(bytes: Buffer): null {
  const start = bytes.toString("latin1", 0, 9);
  if (!"HTTP/1.1 ".startsWith(start)) throw new MalformedAnswer(`${JSON.stringify(start)} ...`);
  return null;
}

function headerOf(line: string): [string, string] {
  const [, name, value] = headerPattern.exec(line) ?? [];
  if (name === undefined || value === undefined)
    throw new MalformedAnswer(`header line ${JSON.stringify(line)}`);
  return [name.toLowerCase(), value];
}

function bodyOf(answer: RawAnswer, bytes: Buffer, hasEnded: boolean): Read | null {
  const lengths = valuesOf(answer, "content-length");
  const codings = valuesOf(answer, "transfer-encoding");
  // To HTTP/1.0, where a length is not known beforehand.
  if (lengths.length + codings.length === 0 && answer.isLast)
    return hasEnded ? { body: bytes, bytesUsed: bytes.length } : null;
  if (lengths.length + codings.length !== 1)
    throw new MalformedAnswer(`lengths ${lengths.join()}, transfer-encodings ${codings.join()}`);
  if (codings.length === 1) {
    if (codings[0] !== "chunked") throw new MalformedAnswer(`transfer-encoding ${codings[0]}`);
    return chunksOf(bytes);
  }
  if (!/^\d{1,15}$/.test(lengths[0] as string))
    throw new MalformedAnswer(`content-length ${lengths[0]}`);
  const length = Number(lengths[0]);
  return bytes.length < length ? null : { body: bytes.subarray(0, length), bytesUsed: length };
}

function chunksOf(bytes: Buffer): Read | null {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return null;
    const size = bytes.toString("latin1", at, lineEnd);
    if (!/^[0-9a-fA-F]{1,8}$/.test(size))
      throw new MalformedAnswer(`chunk size ${JSON.stringify(size)}`);
    const length = Number.parseInt(size, 16);
    const end = lineEnd + 2 + length;
    if (bytes.length < end + 2) return null;
    if (bytes.toString("latin1", end, end + 2) !== "\r\n")
      throw new MalformedAnswer("a chunk does not end where its size says");
    parts.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
    if (length === 0) return { body: Buffer.concat(parts), bytesUsed: at };
  }
}
