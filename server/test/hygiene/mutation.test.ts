import { strict as assert } from "node:assert";
import { after, before, describe, test } from "node:test";
import { mutant, randomFrom } from "./mutations.ts";
import { RawCaller } from "./raw-client.ts";
import { readRequests } from "./reference-reader.ts";
import { type SeenCall, WitnessServer, assertRefusal, lastRequest } from "./witness.ts";

const CASES = Number(process.env.MUTATIONS ?? 3000);
/** The same damage in every run, unless another seed is given (`random`: any). */
const { MUTATION_SEED = "1" } = process.env;
const seed =
  MUTATION_SEED === "random" ? Math.floor(Math.random() * 2 ** 32) : Number(MUTATION_SEED);
const AT_ONCE = 100;
const skip =
  process.platform === "linux" ? false : "needs the addresses 127.0.0.0/8, which Linux has";

/** Small enough for a connection to end soon, whatever it waits for. */
const limits = {
  ISOLA_HEADERS_TIMEOUT_MS: "300",
  ISOLA_CALLER_STALL_TIMEOUT_MS: "300",
  ISOLA_KEEP_ALIVE_TIMEOUT_MS: "100",
};

describe(`damaged requests, seed ${seed} (MUTATION_SEED)`, { skip }, () => {
  const server = new WitnessServer(limits);
  before(() => server.start());
  after(() => server.dispose());

  test(`end in whole answers or a close, and call what the reference reads: ${CASES} of them`, async () => {
    const random = randomFrom(seed);
    for (let first = 0; first < CASES; first += AT_ONCE) {
      const texts = Array.from({ length: Math.min(AT_ONCE, CASES - first) }, () => mutant(random));
      const cuts = texts.map(() => random());
      await Promise.all(texts.map((text, at) => send(server, at, [text, cuts[at] as number])));
      const seen = await server.seen();
      for (const [at, text] of texts.entries())
        assertCalls(
          text,
          seen.filter(({ headers }) => headers["x-forwarded-for"] === addressOf(at)),
        );
    }
  });

  test("leave a gateway that serves", () => server.assertSound());
});

/** Each of those at once has an address of its own, which no damage changes. */
function addressOf(at: number): string {
  return `127.0.1.${at + 1}`;
}

async function send(
  server: WitnessServer,
  at: number,
  [text, cut]: [string, number],
): Promise<void> {
  const caller = new RawCaller(server.gatewayUrl, addressOf(at));
  const whole = text + lastRequest;
  const split = Math.floor(cut * whole.length);
  caller.socket.setNoDelay(true);
  caller.send(whole.slice(0, split));
  await new Promise(setImmediate);
  caller.send(whole.slice(split));
  const { answers, rest } = await caller.untilClosed().catch((error: Error) => {
    throw new Error(`${error.message}, to ${JSON.stringify(whole)}`);
  });
  const shown = JSON.stringify(whole);
  assert.equal(rest, "", shown);
  for (const answer of answers) {
    if (answer.status > 200) assertRefusal(answer, answer.status);
    assert.ok(answer.status < 500, `${answer.status} ${answer.body} to ${shown}`);
  }
  const last = answers.findIndex(({ isLast }) => isLast);
  assert.ok(last === -1 || last === answers.length - 1, `an answer after the last to ${shown}`);
}

/** What was called is among what may be read, in its order, with exactly its bytes. */
function assertCalls(text: string, calls: SeenCall[]): void {
  const readable = readRequests(text + lastRequest);
  let from = 0;
  for (const { method, path, query, body } of calls) {
    const target = query === "" ? path : `${path}?${query}`;
    const isIt = (each: (typeof readable)[0]) =>
      each.method === method && each.body === body && targetOf(each.target) === target;
    const found = readable.findIndex((each, at) => at >= from && isIt(each));
    const shown = JSON.stringify({ text, calls, readable }, null, 1);
    assert.notEqual(found, -1, `a call that nobody made: ${method} ${target}\n${shown}`);
    from = found + 1;
  }
}

/** As a function on its default route sees it. */
function targetOf(target: string): string {
  const own = target.replace(/^\/witness/, "").replace(/\?$/, "");
  return own.startsWith("/") ? own : `/${own}`;
}
