import { strict as assert } from "node:assert";
import { after, before, describe, test } from "node:test";
import { RawCaller, exchange } from "./raw-client.ts";
import { WitnessServer, assertRefusal, lastRequest, reportOf } from "./witness.ts";

const asking = (target: string, length: number) =>
  `POST ${target} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;

describe("Expect: 100-continue", () => {
  const server = new WitnessServer();
  before(() => server.start());
  after(() => server.dispose());

  test("is met when the function takes the body, and the call goes on", async () => {
    const caller = new RawCaller(server.gatewayUrl).send(asking("/witness/x", 3));
    assert.equal((await caller.answer())?.status, 100);
    const { answers } = await caller.send(`abc${lastRequest}`).untilClosed();
    assert.equal(reportOf(answers[0]).body, "abc");
    assert.equal(reportOf(answers[0]).headers.expect, undefined);
    assert.equal(reportOf(answers[1]).path, "/last");
    await server.seen();
  });

  test("is met by a body that comes unasked as well", async () => {
    const bytes = `${asking("/witness/x", 3)}abc${lastRequest}`;
    const { answers } = await exchange(server.gatewayUrl, bytes);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [100, 200, 200],
    );
    await server.seen();
  });

  test("waits for the answers before it", async () => {
    const first = "GET /witness/hold HTTP/1.1\r\nHost: a\r\n\r\n";
    const caller = new RawCaller(server.gatewayUrl).send(first + asking("/witness/x", 3));
    await server.held();
    await server.call("/witness/go");
    assert.equal(reportOf((await caller.answer()) ?? undefined).path, "/hold");
    assert.equal((await caller.answer())?.status, 100);
    const { answers } = await caller.send(`abc${lastRequest}`).untilClosed();
    assert.equal(reportOf(answers[0]).body, "abc");
    await server.seen();
  });

  const refused: [what: string, head: string, status: number][] = [
    ["nobody answers", asking("/nobody", 3), 404],
    ["the path is bad", asking("/witness/%00", 3), 400],
    ["the body would be too large", asking("/witness/x", 7_000_000), 413],
    ["the method is unknown", asking("/witness/x", 3).replace("POST", "PURGE"), 405],
    ["it asks for more", asking("/witness/x", 3).replace("continue", "continue, gold"), 400],
    ["it asks for something else", asking("/witness/x", 3).replace("100-continue", "gold"), 400],
    ["it asks for nothing", asking("/witness/x", 3).replace(" 100-continue", ""), 400],
  ];
  for (const [what, head, status] of refused)
    test(`is answered without asking for the body where ${what}, and the connection ends`, async () => {
      const caller = new RawCaller(server.gatewayUrl).send(head);
      const answer = (await caller.answer()) ?? undefined;
      assertRefusal(answer, status);
      assert.equal(answer?.isLast, true);
      const { answers, rest } = await caller.send(`abc${lastRequest}`).untilClosed();
      assert.deepEqual([answers, rest, await server.seen()], [[], "", []]);
    });

  test("without a body asks for none", async () => {
    const { answers } = await exchange(server.gatewayUrl, asking("/witness/x", 0) + lastRequest);
    assert.equal(reportOf(answers[0]).path, "/x");
    const answered = answers.map((answer) => reportOf(answer).path);
    assert.deepEqual(
      (await server.seen()).map(({ path }) => path),
      answered,
    );
  });

  test("leaves a gateway that serves", () => server.assertSound());
});
