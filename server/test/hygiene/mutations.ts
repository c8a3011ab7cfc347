/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const request = (line: string, headers: string, body = "") =>
  `${line} HTTP/1.1\r\nHost: a\r\n${headers}\r\n${body}`;

const hidden = request("GET /witness/hidden", "");

/** Valid requests; each is followed by others on its connection. */
const valid = [
  request("GET /witness/get?a=b", "Accept: */*\r\nCookie: c=d; e=f\r\n"),
  request(
    "POST /witness/length",
    "Content-Type: text/plain\r\nContent-Length: 11\r\n",
    "hello world",
  ),
  request("PUT /witness/hiding", `Content-Length: ${hidden.length}\r\n`, hidden),
  request(
    "POST /witness/chunks",
    "Transfer-Encoding: chunked\r\n",
    "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n",
  ),
  request(
    "POST /witness/trailers",
    "Trailer: X\r\nTransfer-Encoding: chunked\r\n",
    "c\r\nhello\r\nworld\r\n0\r\nX: y\r\n\r\n",
  ),
  request("DELETE /witness/kept", "Connection: keep-alive\r\nContent-Length: 3\r\n", "abc"),
  request("POST /witness/asked", "Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"),
  "GET /witness/old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
];

const tokens = [
  ...[
    "\r\n",
    "\n",
    "\r",
    "\0",
    " ",
    "\t",
    "\x0b",
    "\x0c",
    "\x7f",
    "\x80",
    "\xff",
    ":",
    ",",
    ";",
    "=",
    '"',
    "\r\n ",
    "\r\n\t",
    "\r\n\r\n",
    "\n\n",
  ],
  ...[
    "0",
    "1",
    "9",
    "a",
    "-",
    "+",
    "0x",
    "_",
    "00000000000000000",
    "ffffffffffffffff",
    "0\r\n\r\n",
    "1\r\nx\r\n",
    "chunked",
    "identity",
    "close",
  ],
  ...[
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding : chunked\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 5\r\n",
    "Connection: close\r\n",
  ],
  ...[
    "Host: b\r\n",
    "Expect: x\r\n",
    "Upgrade: h2c\r\nConnection: upgrade\r\n",
    "Connection: content-length\r\n",
    "X: y\r\n",
    "X:\r\n y\r\n",
  ],
  ...[
    " HTTP/1.0",
    " HTTP/1.1\r\n",
    " HTTP/2.0",
    "/",
    "..",
    "%2e%2e",
    "%2f",
    "%00",
    "#",
    "?",
    "\\",
    "http://b",
    hidden,
  ],
];

/** A few valid requests, damaged in one to four places. */
export function mutant(random: () => number): string {
  const below = (limit: number) => Math.floor(random() * limit);
  const oneOf = <T>(all: readonly T[]) => all[below(all.length)] as T;
  let text = Array.from({ length: 1 + below(3) }, () => oneOf(valid)).join("");
  for (let left = 1 + below(4); left > 0; left -= 1) text = damaged(text, below, oneOf);
  return text;
}

function damaged(
  text: string,
  below: (limit: number) => number,
  oneOf: <T>(all: readonly T[]) => T,
): string {
  const breaks = [...text.matchAll(/\r\n/g)].map(({ index }) => index + below(2) * 2);
  const at = below(2) === 0 && breaks.length > 0 ? oneOf(breaks) : below(text.length + 1);
  const end = Math.min(text.length, at + 1 + below(20));
  const head = text.slice(0, at);
  switch (below(7)) {
    case 0:
      return head + String.fromCharCode(below(256)) + text.slice(at + 1); // another byte
    case 1:
      return head + oneOf(tokens) + text.slice(at);
    case 2:
      return head + oneOf(tokens) + text.slice(end);
    case 3:
      return head + text.slice(end); // something lost
    case 4:
      return text.slice(0, end) + text.slice(at); // something twice
    case 5:
      return text.replace(/\d(?=\d*\r\n)/g, (digit) =>
        below(4) === 0 ? String(below(10)) : digit,
      );
    default:
      return head + oneOf(valid) + text.slice(at);
  }
}
