import type { TestServer } from "../harness.ts";
import { type Exchange, RawCaller } from "./raw-client.ts";

/** What the function says to the gateway behind its runtime's back. */
export interface RawResponse {
  /** Lines of the head, the status first; ISO-8859-1. */
  head: string[];
  /** Pieces of the body; null: the head ends the response. */
  body: string[] | null;
  /** Each piece waits until the gateway has passed on what came before; else all is written at once. */
  isStepwise?: boolean;
}

const code = `
import { writeSync } from "node:fs";
let calls = 0;
let waiting = [];
const frame = (type, flags, stream, text) => {
  const payload = Buffer.from(text, "latin1");
  const head = Buffer.alloc(12);
  head.writeUInt32LE(payload.length, 0);
  head[4] = type;
  head[5] = flags;
  head.writeUInt32LE(stream, 8);
  return Buffer.concat([head, payload]);
};
export const handler = async ({ rawPath, body: said, isBase64Encoded }) => {
  calls += 1;
  const stream = calls;
  if (rawPath === "/go") {
    if (waiting.length > 0) writeSync(3, waiting.shift());
    return "gone";
  }
  const { head, body, isStepwise } = JSON.parse(isBase64Encoded ? Buffer.from(said, "base64") : said);
  const pieces = (body ?? []).map((piece, at) => frame(0x11, at === body.length - 1 ? 1 : 0, stream, piece));
  const first = frame(0x12, body === null ? 1 : 0, stream, head.join("\\n"));
  waiting = isStepwise ? pieces : [];
  writeSync(3, isStepwise ? first : Buffer.concat([first, ...pieces]));
  await new Promise(() => {});
};
`;

/** A function that writes frames of its own making, past all checks of its runtime: what the gateway lets through is then the gateway's doing. */
export async function deployRaw(server: TestServer): Promise<void> {
  const settings = { concurrency: 1000, maxSandboxes: 1, minSandboxes: 1, timeoutMs: 10_000 };
  await server.deploy("raw", { "index.mjs": code }, settings);
}

/** Has the function respond so, and sends `after` on the same connection. */
export async function exchangeRaw(
  server: TestServer,
  [response, method, after]: [RawResponse, string, string],
): Promise<Exchange> {
  const body = Buffer.from(JSON.stringify(response));
  const head = `${method} /raw HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;
  const caller = new RawCaller(server.gatewayUrl);
  caller.send(`${head}Content-Length: ${body.length}\r\n\r\n`).send(body);
  if (response.isStepwise === true) {
    await caller.anything();
    // The answer to this call comes behind the piece that it sets free.
    for (const _piece of response.body ?? []) await server.call("/raw/go");
  }
  return await caller.send(after).untilClosed([method]);
}
