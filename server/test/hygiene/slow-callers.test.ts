import { strict as assert } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { eventually } from "../harness.ts";
import { RawCaller } from "./raw-client.ts";
import { WitnessServer, assertRefusal, lastRequest, reportOf } from "./witness.ts";

const STALL_MS = 1000;
/** Longer than any limit of this server. */
const LONG_MS = 2500;

const functions = {
  late: `export default { async fetch(request) {
    await new Promise((resolve) => setTimeout(resolve, ${LONG_MS}));
    return new Response("late");
  } };`,
  large: `export default { fetch() {
    let left = 50;
    const pull = (controller) => {
      if (left === 0) return controller.close();
      left -= 1;
      controller.enqueue(new Uint8Array(1_000_000));
    };
    return new Response(new ReadableStream({ pull }));
  } };`,
  endless: `export default { async fetch(request) {
    console.log("begun");
    await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
    console.log("told");
    return new Response("never read");
  } };`,
};

const head = "POST /witness/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";

describe("a caller that takes its time", () => {
  const server = new WitnessServer({
    ISOLA_HEADERS_TIMEOUT_MS: "500",
    ISOLA_CALLER_STALL_TIMEOUT_MS: String(STALL_MS),
    ISOLA_KEEP_ALIVE_TIMEOUT_MS: "300",
  });
  before(async () => {
    await server.start();
    for (const [name, code] of Object.entries(functions))
      await server.deploy(name, { "index.mjs": code });
  });
  after(() => server.dispose());

  const isQuiet = async () =>
    (await server.api("GET", "/api/v1/system")).json.gateway.runningInvocations === 0;

  for (const [what, bytes] of [
    ["nothing at all", ""],
    ["half a request line", "GET /wit"],
    ["headers without an end", "GET /witness/x HTTP/1.1\r\nHost: a\r\nX: y"],
    ["a second request without its end", `${head}0123456789GET /witness/x HTTP/1.1\r\nHo`],
  ] as const)
    test(`is told 408 and cut off where it sends ${what}`, async () => {
      const caller = new RawCaller(server.gatewayUrl).send(bytes);
      const { answers, rest } = await caller.untilClosed();
      assert.equal(assertRefusal(answers.at(-1), 408), "request_timeout");
      assert.equal(answers.at(-1)?.isLast, true);
      assert.equal(rest, "");
      assert.equal((await server.seen()).length, answers.length - 1);
    });

  test("is cut off where it drips headers for ever", async () => {
    const caller = new RawCaller(server.gatewayUrl).send("GET /witness/x HTTP/1.1\r\nHost: a\r\n");
    const dripping = setInterval(() => caller.socket.writable && caller.send("x"), 20);
    const { answers } = await caller.untilClosed().finally(() => clearInterval(dripping));
    assert.equal(assertRefusal(answers[0], 408), "request_timeout");
    assert.deepEqual(await server.seen(), []);
  });

  test("is told 408 where its body stops coming, and the function never sees the half of it", async () => {
    const caller = new RawCaller(server.gatewayUrl).send(`${head}01234`);
    const { answers, rest } = await caller.untilClosed();
    assert.equal(assertRefusal(answers[0], 408), "request_timeout");
    assert.deepEqual([answers.length, rest, await server.seen()], [1, "", []]);
    await eventually("the end of the call", isQuiet);
  });

  test("is told 408 where it asks to send a body and never does", async () => {
    const asking = head.replace("Host", "Expect: 100-continue\r\nHost");
    const { answers } = await new RawCaller(server.gatewayUrl).send(asking).untilClosed();
    assert.equal(answers[0]?.status, 100);
    assert.equal(assertRefusal(answers[1], 408), "request_timeout");
    assert.deepEqual(await server.seen(), []);
  });

  test("may send a body as slowly as it likes, so long as it goes on", async () => {
    const caller = new RawCaller(server.gatewayUrl).send(head);
    for (const digit of "0123456789") {
      await sleep(STALL_MS / 5);
      caller.send(digit);
    }
    const { answers } = await caller.send(lastRequest).untilClosed();
    assert.equal(reportOf(answers[0]).body, "0123456789");
    await server.seen();
  });

  test("is not to blame for a function that takes its time", async () => {
    const caller = new RawCaller(server.gatewayUrl);
    caller.send(`GET /witness/x?ms=${LONG_MS} HTTP/1.1\r\nHost: a\r\n\r\n${lastRequest}`);
    const { answers } = await caller.untilClosed();
    assert.deepEqual(
      answers.map((answer) => reportOf(answer).path),
      ["/x", "/last"],
    );
    await server.seen();
  });

  test("is not to blame for a function that does not read the body", async () => {
    const caller = new RawCaller(server.gatewayUrl);
    caller.send("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n");
    caller.send(Buffer.alloc(1_000_000));
    assert.equal((await caller.answer())?.body.toString(), "late");
    caller.leave();
  });

  test("is cut off where it does not read its answer, and others are served meanwhile", async () => {
    const caller = new RawCaller(server.gatewayUrl);
    caller.socket.pause();
    caller.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually("the call to run", async () => !(await isQuiet()));
    assert.equal((await server.call("/witness/x")).status, 200);
    await eventually("the end of the call", isQuiet);
    caller.socket.resume();
    const { answers, rest } = await caller.untilClosed();
    assert.deepEqual(answers, []);
    assert.ok(rest.length < 50_000_000, `${rest.length} bytes came`);
    await server.seen();
  });

  test("has its connection closed without a word where it is idle", async () => {
    const request = "GET /witness/x HTTP/1.1\r\nHost: a\r\n\r\n";
    const { answers, rest } = await new RawCaller(server.gatewayUrl).send(request).untilClosed();
    assert.deepEqual(
      answers.map((answer) => reportOf(answer).path),
      ["/x"],
    );
    assert.equal(rest, "");
    await server.seen();
  });

  const count = async (word: string) => {
    const { json } = await server.api("GET", "/api/v1/functions/endless/logs");
    return json.items.filter((line: { text: string }) => line.text === word).length;
  };
  for (const [how, leave] of [
    ["says that it sends no more", (caller: RawCaller) => caller.endSending()],
    ["closes", (caller: RawCaller) => caller.leave()],
    ["resets", (caller: RawCaller) => caller.leave("reset")],
  ] as const)
    test(`has gone when it ${how}: the call is cancelled, and there is no answer`, async () => {
      const [begun, told] = [await count("begun"), await count("told")];
      const caller = new RawCaller(server.gatewayUrl).send(
        "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n",
      );
      // One that still waits for its sandbox would never reach the function.
      await eventually("the call to run", async () => (await count("begun")) > begun);
      leave(caller);
      const { answers, rest } = await caller.untilClosed();
      assert.deepEqual([answers, rest], [[], ""]);
      await eventually("the end of the call", isQuiet);
      await eventually("word in the function", async () => (await count("told")) > told);
    });

  for (const [how, leave] of [
    ["says that it sends no more", (caller: RawCaller) => caller.endSending()],
    ["resets", (caller: RawCaller) => caller.leave("reset")],
  ] as const)
    for (const [what, bytes] of [
      ["its request line", "POST /witness/x HT"],
      ["its body", `${head}01234`],
      [
        "a chunk",
        "POST /witness/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\na\r\n01234",
      ],
    ] as const)
      test(`calls nothing where it ${how} in the middle of ${what}`, async () => {
        const caller = new RawCaller(server.gatewayUrl).send(bytes);
        await new Promise((resolve) => caller.socket.write("", resolve));
        leave(caller);
        const { answers, rest } = await caller.untilClosed();
        for (const answer of answers) assert.equal(assertRefusal(answer, 400), "bad_http");
        assert.equal(rest, "");
        await eventually("quiet", isQuiet);
        assert.deepEqual(await server.seen(), []);
      });

  test("leaves a gateway that serves", () => server.assertSound());
});
