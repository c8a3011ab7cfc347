import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { DeployedFunction } from "../domain/function.ts";
import { IsolaError } from "../errors.ts";
import { LinkClient, type LinkClientOptions } from "./client.ts";
import type { GatewayStatus, LinkNotices } from "./messages.ts";
import { type LinkHandlers, LinkServer } from "./server.ts";

let dir: string;
let path: string;
let server: LinkServer;
let client: LinkClient;
let resets: { names: string[]; isFirst: boolean; isLast: boolean }[];
let connects: number;
let recorded: number[];
let refused: number[];

const handlers: LinkHandlers = {
  reset: ({ functions, isFirst, isLast }) => {
    resets.push({ names: functions.map(({ name }) => name), isFirst, isLast });
    return { functions: functions.length };
  },
  apply: async () => {
    throw new IsolaError("driver_unavailable", "no such driver");
  },
  invoke: () => new Promise(() => {}),
  warm: () => new Promise(() => {}),
  status: () => ({ pid: 42 }) as GatewayStatus,
  build: () => new Promise(() => {}),
  cancelBuild: () => null,
  openDebug: () => new Promise(() => {}),
  closeDebug: () => null,
  trial: () => null,
};

async function serve(): Promise<void> {
  server = new LinkServer(handlers, {
    onConnect: () => {
      connects += 1;
    },
    onRecorded: (batch) => recorded.push(batch),
    onRefused: (batch) => refused.push(batch),
  });
  await server.listen(path);
}

function dial(options: Partial<LinkClientOptions> = {}): void {
  client = new LinkClient({
    path,
    snapshot: async () => [],
    onRecords: async () => {},
    onProblem: () => {},
    ...options,
  });
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "isola-link-"));
  path = join(dir, "gateway.sock");
  resets = [];
  connects = 0;
  recorded = [];
  refused = [];
  await serve();
});

afterEach(async () => {
  client.close();
  await server.close();
  rmSync(dir, { recursive: true });
});

const batchOf = (batch: number, invocations: Uint8Array | null = null) => ({
  ...{ source: "gateway", batch, invocations, logs: [], lost: 0 },
});
const fn = (name: string) => ({ name }) as DeployedFunction;

describe("the link", () => {
  test("sends everything that is deployed before anything else, in parts", async () => {
    const names = Array.from({ length: 2500 }, (_, at) => `f${at}`);
    dial({ snapshot: async () => names.map(fn) });
    assert.equal(client.isConnected, false);
    await client.connected(5000);
    assert.deepEqual(
      resets.map(({ names: part, isFirst, isLast }) => [part.length, isFirst, isLast]),
      [
        [1000, true, false],
        [1000, false, false],
        [500, false, true],
      ],
    );
    assert.deepEqual(
      resets.flatMap((part) => part.names),
      names,
    );
  });

  test("sends one empty part when nothing is deployed", async () => {
    dial();
    await client.connected(5000);
    assert.deepEqual(resets, [{ names: [], isFirst: true, isLast: true }]);
  });

  test("answers requests, and carries the gateway's errors over", async () => {
    dial();
    await client.connected(5000);
    assert.deepEqual(await client.request("status", {}), { pid: 42 });
    const refused = client.request("apply", { upserts: [], removes: [] });
    await assert.rejects(
      refused,
      (error: IsolaError) =>
        error.code === "driver_unavailable" && error.message === "no such driver",
    );
  });

  test("fails what waits when the gateway goes away, and connects again when it is back", async () => {
    dial();
    await client.connected(5000);
    const waiting = client.request("invoke", {} as never);
    await server.close();
    await assert.rejects(waiting, (error: IsolaError) => error.code === "not_ready");
    await assert.rejects(
      client.request("status", {}),
      (error: IsolaError) => error.code === "not_ready",
    );
    await serve();
    await client.connected(5000);
    assert.equal(connects, 2);
    assert.equal(resets.length, 2);
  });

  test("acknowledges records only once they are stored", async () => {
    const batches: number[] = [];
    const problems: string[] = [];
    dial({
      onRecords: async (records: LinkNotices["records"]) => {
        batches.push(records.batch);
        if (records.batch === 1) throw new Error("disk full");
      },
      onProblem: (message) => problems.push(message),
    });
    await client.connected(5000);
    for (const batch of [1, 2]) assert.equal(server.sendRecords(batchOf(batch)), true);
    while (recorded.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(batches, [1, 2]);
    assert.deepEqual(recorded, [2]);
    assert.deepEqual(refused, [1]);
    assert.match(problems[0] ?? "", /disk full/);
  });

  test("carries any bytes with records, between other messages and in any number of pieces", async () => {
    const taken: LinkNotices["records"][] = [];
    dial({
      onRecords: async (records: LinkNotices["records"]) => {
        taken.push(records);
      },
    });
    await client.connected(5000);
    const chunks = [1, 10, 300_000].map((length) => randomBytes(length));
    chunks.push(Buffer.from('\n{"notice":"records"}\n+5 {}\n'));
    for (const [at, chunk] of chunks.entries()) {
      server.sendRecords(batchOf(2 * at, chunk));
      const status = client.request("status", {}, AbortSignal.timeout(20_000));
      assert.deepEqual(await status, { pid: 42 });
      server.sendRecords(batchOf(2 * at + 1));
    }
    const until = performance.now() + 20_000;
    while (recorded.length < 8 && performance.now() < until)
      await new Promise((resolve) => setImmediate(resolve));
    assert.equal(taken.length, 8);
    for (const [at, { batch, invocations }] of taken.entries()) {
      assert.equal(batch, at);
      const sent = at % 2 === 0 ? (chunks[at / 2] as Buffer) : null;
      assert.deepEqual(invocations, sent);
    }
  });

  test("says that nobody takes records while no control plane is connected", () => {
    dial();
    assert.equal(server.sendRecords(batchOf(1)), false);
  });
});
