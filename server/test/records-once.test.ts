import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { quiet } from "../src/control/control-plane.fixture.ts";
import { Recorder } from "../src/control/recorder.ts";
import { systemClock } from "../src/domain/clock.ts";
import { idSource } from "../src/domain/ids.ts";
import { RecordBuffer } from "../src/gateway/record-buffer.ts";
import { LinkClient } from "../src/link/client.ts";
import type { LinkNotices } from "../src/link/messages.ts";
import { LinkServer } from "../src/link/server.ts";
import { invocation, logLine, readAll } from "../src/store/conformance/fixture.ts";
import { openSqliteStore } from "../src/store/sqlite/open-sqlite-store.ts";

const newId = idSource("inv");
const BURST = 60_000;

/** The way of a record from the gateway into the store; nobody takes any until `dial`. */
async function openWay(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), "isola-records-"));
  const path = join(dir, "link.sock");
  const store = await openSqliteStore({ path: join(dir, "isola.db") });
  const recorder = new Recorder({ store, clock: systemClock, log: quiet });
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
  let client: LinkClient | null = null;
  /** `afterStored` runs before the batch is acknowledged. */
  const dial = (afterStored: (batch: LinkNotices["records"]) => void) => {
    client?.close();
    client = new LinkClient({
      path,
      snapshot: async () => [],
      onRecords: async (batch) => {
        await recorder.record(batch);
        afterStored(batch);
      },
      onProblem: () => {},
    });
  };
  t.after(async () => {
    client?.close();
    await link.close();
    await recorder.close();
    await store.close();
    rmSync(dir, { recursive: true });
  });
  return { buffer, store, dial };
}

describe("records of a burst that met no control plane", { timeout: 120_000 }, () => {
  test("are each stored once, though the link breaks again and again before it has acknowledged", async (t) => {
    const { buffer, store, dial } = await openWay(t);
    const ids = [];
    for (let at = 0; at < BURST; at += 1) {
      const id = newId();
      ids.push(id);
      const ended = { id, startedAt: 1e12 + at, functionName: `f${at % 20}`, totalMs: at % 2500 };
      buffer.addInvocation(invocation(ended));
      if (at % 100 === 0) buffer.addLog(logLine({ text: String(at) }));
      if (at % 1000 === 0) await turn();
    }
    const seen = new Set<number>();
    let cameAgain = 0;
    const breakEveryThird = ({ batch }: LinkNotices["records"]) => {
      if (seen.has(batch)) {
        cameAgain += 1;
        return;
      }
      seen.add(batch);
      if (seen.size % 3 === 0) dial(breakEveryThird);
    };
    dial(breakEveryThird);
    await buffer.drained(60_000);

    assert.equal(buffer.lost, 0);
    assert.ok(cameAgain > 10, `${cameAgain} batches came again`);
    const query = { project: "default", limit: 10_000 };
    const listed = await readAll((cursor) => store.listInvocations({ ...query, cursor }));
    const newestFirst = ids.toReversed();
    assert.equal(listed.length, BURST);
    assert.equal(
      listed.findIndex(({ id }, at) => id !== newestFirst[at]),
      -1,
    );
    for (const id of [ids[0], ids[31_234], ids.at(-1)] as string[])
      assert.equal((await store.getInvocation("default", id)).id, id);
    const lines = await readAll((cursor) =>
      store.listLogs({ ...query, functionName: "hello", cursor }),
    );
    assert.equal(lines.length, BURST / 100);
  });
});
