import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../harness.ts";
import { RecoveringServer } from "./recovering-server.ts";
import { assertNothingLeft, pidOf } from "./traces.ts";

const LINES = 40;
const CALLS = 10;
const headers = { "content-type": "application/json" };
/** Writes its lines in two parts, so that they travel in several batches. */
const writer = `export const handler = async ({ body }) => {
  const { call } = JSON.parse(body);
  for (let at = 0; at < ${LINES}; at += 1) {
    console.log(call + "/" + at);
    if (at % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 120));
  }
};`;

async function begun(): Promise<RecoveringServer> {
  const server = new RecoveringServer({ ISOLA_BLANK_NODEJS: "1", ISOLA_BLANK_PYTHON: "0" });
  await server.begin();
  await server.deploy("writer", { "index.mjs": writer }, { maxSandboxes: 2 });
  await server.killAll();
  return server;
}

/** One call after the other through the functions listener, which needs no control plane. */
async function callAll(server: RecoveringServer, name: string): Promise<void> {
  for (let call = 0; call < CALLS; call += 1) {
    const body = JSON.stringify({ call: `${name}-${call}` });
    const { status } = await server.call("/writer", { method: "POST", body, headers });
    assert.equal(status, 200);
  }
}

async function linesOf(server: RecoveringServer, text: string): Promise<string[]> {
  const found: string[] = [];
  for (let cursor = ""; ; ) {
    const query = `limit=200&text=${text}${cursor && `&cursor=${cursor}`}`;
    const { json, status } = await server.api("GET", `/api/v1/logs?${query}`);
    if (status !== 200) return [];
    found.push(...json.items.map((line: { text: string }) => line.text));
    if (json.nextCursor === null) return found;
    cursor = json.nextCursor;
  }
}

const expected = (name: string) =>
  Array.from(
    { length: CALLS * LINES },
    (_, at) => `${name}-${Math.floor(at / LINES)}/${at % LINES}`,
  );

describe("log lines while the control plane is killed", { timeout: 300_000 }, () => {
  let server: RecoveringServer;
  before(async () => {
    server = await begun();
  });
  after(async () => {
    await server.begin();
    await server.stop();
    await assertNothingLeft(server);
    await server.dispose();
  });

  for (const point of ["records.stored", "records.before-ack"])
    test(`at ${point}, between storing and acknowledging, are each kept once`, async (t) => {
      t.after(() => server.killAll());
      // The lines of the first calls come in the batches behind the first two.
      await server.begin(`${point}=kill@4`);
      const first = pidOf(server, "control");
      const name = point.replace(".", "-");
      await callAll(server, name);
      await eventually(
        "another control plane",
        async () => ![0, first].includes(pidOf(server, "control")),
      );
      await server.ready();
      await eventually(
        "every line",
        async () => (await linesOf(server, name)).length >= CALLS * LINES,
      );
      const later = `after-${point.split(".")[1]}`;
      const body = JSON.stringify({ call: later });
      await server.call("/writer", { method: "POST", body, headers });
      await eventually(
        "what comes after",
        async () => (await linesOf(server, later)).length === LINES,
      );
      assert.deepEqual(await linesOf(server, name), expected(name));
      const { json } = await server.api("GET", "/api/v1/events?kind=control_restarted");
      assert.equal(json.items[0].fields.signal, "SIGKILL");
      assert.equal(json.items[0].severity, "error");
    });

  test("again and again at any moment are each kept once", async (t) => {
    t.after(() => server.killAll());
    await server.begin();
    let isCalling = true;
    const calling = callAll(server, "any").finally(() => {
      isCalling = false;
    });
    let kills = 0;
    while (isCalling && kills < 3) {
      const pid = pidOf(server, "control");
      if (pid !== 0) {
        process.kill(pid, "SIGKILL");
        kills += 1;
      }
      await eventually(
        "another control plane",
        async () => ![0, pid].includes(pidOf(server, "control")),
      );
      await server.ready();
    }
    await calling;
    assert.ok(kills > 0);
    await eventually(
      "every line",
      async () => (await linesOf(server, "any-")).length >= CALLS * LINES,
    );
    assert.deepEqual(await linesOf(server, "any-"), expected("any"));
  });
});
