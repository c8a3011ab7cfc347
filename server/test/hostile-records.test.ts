import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { systemClock } from "../src/domain/clock.ts";
import type { LogRecord } from "../src/domain/invocation.ts";
import { RecordBuffer } from "../src/gateway/record-buffer.ts";
import { LinkClient } from "../src/link/client.ts";
import { LinkServer } from "../src/link/server.ts";
import { TestServer, eventually } from "./harness.ts";

const line: LogRecord = {
  ...{ project: "default", functionName: "f", functionId: "fn", revision: 1, invocationId: null },
  ...{ sandboxId: "sb", at: 1, stream: "stdout", level: "none", text: "x", truncated: false },
};

/** A buffer and a control plane that takes its batches with `onRecords`. */
async function linked(onRecords: (logs: LogRecord[]) => Promise<void>) {
  const dir = mkdtempSync(join(tmpdir(), "isola-records-"));
  const path = join(dir, "link.sock");
  const buffer: RecordBuffer = new RecordBuffer(systemClock, (batch) => link.sendRecords(batch));
  const refuse = () => {
    throw new Error("not asked here");
  };
  const link = new LinkServer(
    {
      reset: () => ({ functions: 0 }),
      apply: refuse,
      invoke: refuse,
      warm: refuse,
      status: refuse,
      build: refuse,
      cancelBuild: refuse,
      openDebug: refuse,
      closeDebug: refuse,
      trial: refuse,
    },
    {
      onConnect: () => buffer.resend(),
      onRecorded: (batch) => buffer.acknowledged(batch),
      onRefused: (batch) => buffer.refused(batch),
    },
  );
  await link.listen(path);
  const client = new LinkClient({
    path,
    snapshot: async () => [],
    onRecords: ({ logs }) => onRecords(logs),
    onProblem: () => {},
  });
  await client.connected(10_000);
  const close = async () => {
    client.close();
    await link.close();
    rmSync(dir, { recursive: true });
  };
  return { buffer, close };
}

describe("records on their way to the store", { timeout: 40_000 }, () => {
  test("a batch that the store refused once gets there without a new connection", async (t) => {
    let tries = 0;
    const { buffer, close } = await linked(async () => {
      tries += 1;
      if (tries === 1) throw new Error("the disk is full");
    });
    t.after(close);
    buffer.addLog(line);
    buffer.flush();
    await eventually("a second try", async () => tries > 1);
  });

  test("more log text than one message may hold gets there", async (t) => {
    let stored = 0;
    const { buffer, close } = await linked(async (logs) => {
      stored += logs.length;
    });
    t.after(close);
    // Each byte is six in JSON: 48 lines of 250,000 characters are 72 MB.
    const text = "\x01".repeat(250_000);
    for (let at = 0; at < 48; at += 1) buffer.addLog({ ...line, text });
    buffer.flush();
    await eventually("all lines", async () => stored === 48);
  });
});

describe("a function that floods its logs", () => {
  const server = new TestServer();
  before(() => server.start());
  after(() => server.dispose());

  test("with empty lines takes no other function's records with it", async () => {
    const lines = "for (let at = 0; at < 20_000; at++) console.log('');";
    const turns = `for (let k = 0; k < 20; k++) { ${lines} await new Promise(setImmediate); }`;
    const code = `export default { async fetch() { ${turns} return new Response("done") } }`;
    await server.deploy("flood", { "index.mjs": code });
    await server.deploy("quiet", {
      "index.mjs": "export default { fetch: () => new Response('q') }",
    });
    let isFlooding = true;
    const flooded = server.call("/flood").finally(() => {
      isFlooding = false;
    });
    const quiet = [];
    while (isFlooding) quiet.push(await server.call("/quiet"));
    await flooded;
    for (const { headers } of quiet.slice(-20)) {
      const path = `/api/v1/invocations/${headers.get("isola-request-id")}`;
      await eventually("the record", async () => (await server.api("GET", path)).status === 200);
    }
    const { json } = await server.api("GET", "/api/v1/system");
    assert.equal(json.gateway.recordsLost, 0);
  });

  test("with a time that is none leaves its logs readable", async () => {
    const code = `import { writeSync } from "node:fs";
      export default { fetch() {
        const frame = Buffer.alloc(24);
        frame.writeUInt32LE(12, 0); frame[4] = 0x20; frame.writeUInt32LE(1, 8);
        frame.writeDoubleLE(1e308, 12); frame.write("evil", 20);
        writeSync(3, frame);
        return new Response("ok");
      } }`;
    await server.deploy("clock", { "index.mjs": code });
    assert.equal((await server.call("/clock")).status, 200);
    await eventually("the line", async () => {
      const answer = await server.api("GET", "/api/v1/functions/clock/logs");
      assert.equal(answer.status, 200, answer.text);
      return answer.json.items.some((each: { text: string }) => each.text === "evil");
    });
  });
});
