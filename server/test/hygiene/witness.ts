import { strict as assert } from "node:assert";
import { TestServer, eventually, gatewayOf } from "../harness.ts";
import { type RawAnswer, valuesOf } from "./answer-parser.ts";

/** What a function was given. */
export interface SeenCall {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
  cookies: string[];
  /** ISO-8859-1: a character is a byte. */
  body: string;
  /** How many calls, with this one, were under way when it began. */
  running: number;
}

const code = `
const calls = [];
const held = [];
let running = 0;
export const handler = async (event) => {
  if (event.rawPath === "/calls") return calls.splice(0);
  if (event.rawPath === "/go") return held.splice(0).map((go) => go()).length;
  running += 1;
  const call = {
    method: event.requestContext.http.method,
    path: event.rawPath,
    query: event.rawQueryString,
    headers: event.headers,
    cookies: event.cookies ?? [],
    body: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").toString("latin1"),
    running,
  };
  calls.push(call);
  if (call.path.startsWith("/hold")) await new Promise((go) => held.push(go));
  const ms = Number(new URLSearchParams(call.query).get("ms"));
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  running -= 1;
  if (call.path === "/throws") throw new Error("as asked");
  return call;
};
`;

/** A server with a function that reports what reaches it and remembers it; it waits at `/hold` until it is called at `/go`, takes `?ms=` long, and fails at `/throws`. */
export class WitnessServer extends TestServer {
  #gatewayPid = 0;

  override async start(): Promise<this> {
    await super.start();
    this.#gatewayPid = gatewayOf(this);
    const settings = { concurrency: 100, maxSandboxes: 1, minSandboxes: 1 };
    await this.deploy("witness", { "index.mjs": code }, settings);
    await this.seen();
    return this;
  }

  /** The calls that reached the witness since this was last asked. */
  async seen(): Promise<SeenCall[]> {
    const answer = await this.call("/witness/calls");
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  }

  /** The call that waits at `/hold` has reached the witness. */
  async held(): Promise<void> {
    await eventually("the held call", async () =>
      (await this.seen()).some(({ path }) => path.startsWith("/hold")),
    );
  }

  /** It is the same gateway as at the start, it serves, and has logged no defect. */
  async assertSound(): Promise<void> {
    assert.equal(gatewayOf(this), this.#gatewayPid, `another gateway runs:\n${this.log}`);
    assert.equal((await this.call("/witness/sound")).json.path, "/sound");
    await this.seen();
    assert.doesNotMatch(this.log, /internal_error|inv-|Error|\bat .*:\d+:\d+/);
  }
}

/** A request that ends its connection: what was sent before it has left nothing behind when the witness sees it. */
export const lastRequest = "GET /witness/last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/** The report of a witness in its answer. */
export function reportOf(answer: RawAnswer | undefined): SeenCall {
  assert.equal(answer?.status, 200, String(answer?.body));
  return JSON.parse((answer as RawAnswer).body.toString());
}

/** A refusal has its form whatever is refused; returns its code. */
export function assertRefusal(answer: RawAnswer | undefined, status: number): string {
  assert.ok(answer !== undefined, "there was no answer");
  assert.equal(answer.status, status, answer.body.toString());
  assert.deepEqual(valuesOf(answer, "content-type"), ["application/json"]);
  const { error } = JSON.parse(answer.body.toString());
  assert.equal(typeof error.message, "string");
  assert.ok(error.message.length > 0);
  assert.deepEqual(valuesOf(answer, "isola-error"), [error.code]);
  assert.deepEqual(valuesOf(answer, "isola-request-id"), [error.requestId]);
  return error.code;
}
