import assert from "node:assert/strict";
import { eventually } from "../harness.ts";
import { endlessStream } from "./endless-code.ts";
import { isAlone, serves } from "./run-cases.ts";
import type { DeadlineStand } from "./suite.ts";

/** Answers that begin and do not end. */
export function streamCases(stand: DeadlineStand): void {
  const { slowness } = stand;
  const cut: [what: string, query: string, settings: Record<string, unknown>, setting: string][] = [
    ["goes on for ever", "pauseMs=0", { timeoutMs: 600 * slowness }, "timeoutMs"],
    ["drips a byte at a time", "pauseMs=100", { timeoutMs: 600 * slowness }, "timeoutMs"],
    [
      "pauses too long",
      "pauseMs=100000",
      { streamIdleTimeoutMs: 300 * slowness, timeoutMs: 20_000 },
      "streamIdleTimeoutMs",
    ],
    [
      "streams longer than its own limit",
      "pauseMs=20",
      { streamTimeoutMs: 500 * slowness, timeoutMs: 20_000 },
      "streamTimeoutMs",
    ],
  ];
  for (const [at, [what, query, settings, setting]] of cut.entries())
    stand.case(`an answer that ${what} is cut, and recorded as stream_timeout`, async () => {
      const name = `stream-${at}`;
      await stand.deploy(name, endlessStream, { maxSandboxes: 1, ...settings });
      const response = await fetch(`${stand.server.gatewayUrl}/${name}/endless?${query}`);
      assert.equal(response.status, 200);
      await assert.rejects(response.arrayBuffer(), "the body ends without its last chunk");
      const record = await stand.recordOf(response.headers.get("isola-request-id"));
      assert.equal(record.outcome, "timeout");
      assert.equal(record.errorCode, "stream_timeout");
      assert.match(record.errorMessage, new RegExp(`\\(${setting}\\)$`));
      await serves(stand, name);
      await isAlone(stand, name);
    });

  stand.case(
    "an answer that does not begin in time is function_timeout with the limit of the first byte",
    async () => {
      await stand.deploy("first", endlessStream, {
        firstByteTimeoutMs: 250 * slowness,
        timeoutMs: 20_000,
      });
      const answer = await stand.server.call("/first/endless?firstMs=100000&pauseMs=0");
      assert.equal(answer.status, 504);
      assert.equal(answer.json.error.code, "function_timeout");
      assert.equal(answer.json.error.limitMs, 250 * slowness);
    },
  );

  stand.case("a stream with a limit of its own may go on beyond timeoutMs", async () => {
    await stand.deploy("long", endlessStream, {
      timeoutMs: 500 * slowness,
      streamTimeoutMs: 30_000,
    });
    const answer = await stand.server.call(`/long/endless?pauseMs=${50 * slowness}&pieces=30`);
    assert.equal(answer.text, "x".repeat(30));
    const record = await stand.recordOf(answer.headers.get("isola-request-id"));
    assert.equal(record.outcome, "ok");
    assert.ok(record.runMs > 500 * slowness);
  });

  stand.case(
    "a caller that goes away cancels its call, and the sandbox of one that does not listen is killed",
    async () => {
      const files = {
        "index.mjs": `export const handler = async () => { console.log("inside"); await new Promise(() => {}); };`,
      };
      await stand.deploy("left", files);
      await leave(stand, "left", "inside");
      const page = await eventually("its record", async () => {
        const { json } = await stand.server.api("GET", "/api/v1/invocations?function=left");
        return json.items?.length === 1 ? json : null;
      });
      assert.equal(page.items[0].outcome, "cancelled");
      await eventually(
        "its end",
        async () => Object.keys(await stand.sandboxes("left")).length === 0,
      );
    },
  );

  stand.case("with onDisconnect continue a call finishes without its caller", async () => {
    const files = {
      "index.mjs": `export const handler = async () => {
  console.log("inside");
  await new Promise((resolve) => setTimeout(resolve, 700));
  console.log("finished");
  return "done";
};`,
    };
    await stand.deploy("goes-on", files, { onDisconnect: "continue", maxSandboxes: 1 });
    await leave(stand, "goes-on", "inside");
    await eventually("its last line", async () =>
      (await stand.logsOf("goes-on")).includes("finished"),
    );
    const page = await eventually("its record", async () => {
      const { json } = await stand.server.api("GET", "/api/v1/invocations?function=goes-on");
      return json.items?.length === 1 ? json : null;
    });
    assert.equal(page.items[0].outcome, "ok");
    assert.equal(page.items[0].status, 0);
    await isAlone(stand, "goes-on");
  });
}

/** Calls the function, waits for its line, and goes away. */
async function leave(stand: DeadlineStand, name: string, line: string): Promise<void> {
  const leaving = new AbortController();
  const call = stand.server.call(`/${name}`, { signal: leaving.signal }).catch(() => {});
  await eventually("its line", async () => (await stand.logsOf(name)).includes(line));
  leaving.abort();
  await call;
}
