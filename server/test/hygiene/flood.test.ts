import { strict as assert } from "node:assert";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { eventually } from "../harness.ts";
import { RawCaller, exchange } from "./raw-client.ts";
import { WitnessServer, lastRequest, reportOf } from "./witness.ts";

const request = "GET /witness/x HTTP/1.1\r\nHost: a\r\n\r\n";
const CONNECTIONS_MAX = 30;

describe("many connections", () => {
  const server = new WitnessServer();
  before(() => server.start());
  after(() => server.dispose());

  test("that are idle, or never end their headers, cost the others nothing: 2,000 of them", async () => {
    const callers = Array.from({ length: 2000 }, () => new RawCaller(server.gatewayUrl));
    for (const { socket } of callers) if (socket.pending) await once(socket, "connect");
    const idle = callers.slice(0, 1000);
    for (const caller of callers.slice(1000)) caller.send("GET /witness/x HTTP/1.1\r\nHo");
    const { answers } = await exchange(server.gatewayUrl, lastRequest);
    assert.equal(reportOf(answers[0]).path, "/last");
    for (const caller of idle) caller.send(request);
    for (const caller of idle) assert.equal((await caller.answer())?.status, 200);
    for (const caller of callers) caller.leave("reset");
    assert.equal((await server.seen()).length, 1001);
  });

  test("are not needed: one serves 5,000 requests", async () => {
    const caller = new RawCaller(server.gatewayUrl);
    for (let turn = 0; turn < 50; turn += 1) {
      caller.send(request.repeat(100));
      for (let each = 0; each < 100; each += 1) assert.equal((await caller.answer())?.status, 200);
    }
    caller.leave();
    assert.equal((await server.seen()).length, 5000);
  });

  test("leave a gateway that serves", () => server.assertSound());
});

describe("more connections than connectionsMax", () => {
  const server = new WitnessServer({ ISOLA_CONNECTIONS_MAX: String(CONNECTIONS_MAX) });
  before(() => server.start());
  after(() => server.dispose());

  const answered = async (caller: RawCaller) => {
    const answer = await caller.send(request).answer();
    if (answer !== null) reportOf(answer);
    return answer !== null;
  };

  test("are closed without an answer; those before are served, and the next once there is room", async () => {
    const callers: RawCaller[] = [];
    for (;;) {
      const caller = new RawCaller(server.gatewayUrl);
      if (!(await answered(caller))) break;
      callers.push(caller);
      assert.ok(callers.length <= CONNECTIONS_MAX);
    }
    assert.ok(callers.length >= CONNECTIONS_MAX / 2, `${callers.length} were served`);
    for (const caller of callers) assert.ok(await answered(caller));
    callers.pop()?.leave();
    const next = await eventually("room for one more", async () => {
      const caller = new RawCaller(server.gatewayUrl);
      return (await answered(caller)) && caller;
    });
    for (const caller of [...callers, next]) caller.leave();
    assert.match(server.log, /connectionsMax allows/);
    assert.equal(server.log.match(/connectionsMax/g)?.length, 1);
  });

  test("leave a gateway that serves", async () => {
    await eventually("room", () =>
      server.seen().then(
        () => true,
        () => false,
      ),
    );
    await server.assertSound();
  });
});
