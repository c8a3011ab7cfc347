import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { InvocationRecord } from "../../src/domain/invocation.ts";
import { CallCount } from "../../src/gateway/admission.ts";
import { CollectReply } from "../../src/gateway/collect-reply.ts";
import { Invocation } from "../../src/gateway/invocation.ts";
import { SandboxLogs } from "../../src/gateway/sandbox-logs.ts";
import type { PooledSandbox } from "../../src/pool/pooled-sandbox.ts";
import {
  type Caller,
  PoolBench,
  callers,
  makeFunction,
  settle,
} from "../../src/pool/testing/pool-bench.ts";

const HOUR_MS = 3_600_000;
const sources = join(import.meta.dirname, "../../src");

/** Where the wall clock is read, and what for: never for how long something may take. */
const readers: Record<string, string> = {
  "artifacts/artifact-store.ts":
    "the age of an artifact, compared with an hour; no deploy under way is collected whatever it says",
  "artifacts/collect-garbage.ts": "the same",
  "auth/admin-key.ts": "the date at which a key expires",
  "auth/authenticator.ts": "the date at which a key expires, and when it was last used",
  "builds/builds.ts": "when a build began and ended, for its record",
  "control/janitor.ts": "the age of records",
  "control/keys.ts": "the date at which a key expires",
  "domain/clock.ts": "the clock itself",
  "domain/ids.ts": "ids that sort by time; unique whatever it says",
  "gateway/invocation.ts":
    "when a call began, for its record, and the deadline as a date, a hint for people",
  "gateway/sandbox-logs.ts": "the date of a line",
  "images/runtime-images.ts":
    "the age of an image without a name; one that a build under way uses is not removed by the engine whatever it says",
  "keeper/keeper.ts": "the date of a line",
  "store/sql-store.ts": "dates of rows",
  "store/sqlite/open-sqlite-store.ts": "the date of a migration",
  "supervisor/log-lines.ts": "the date of a line",
  "backup/backup-program.ts": "the date of an archive",
  "auth/sessions.ts": "the date at which a session or a sign-in link expires",
  "comparisons/comparisons.ts": "when a comparison began and ended, for its record",
  "control/deployer.ts": "the date of an event",
  "control/event-log.ts": "the date of an event",
  "control/live-tails.ts": "the date at which a key or a session expires",
  "control/metrics-export.ts": "since when it counts, for Prometheus",
  "control/metrics.ts": "up to when metrics are asked for, where nobody says",
  "control/role.ts": "the date of an event",
  "cost/costs.ts": "up to when calls are counted, where nobody says",
  "drivers/microvm/microvm-sandbox.ts": "the clock that a guest is given",
  "drivers/snapshots.ts":
    "when a snapshot was last used; the one that seems longest unused goes first",
  "gateway/gathered-events.ts": "the date of an event",
  "gateway/machine.ts": "the date of an event",
  "gateway/record-buffer.ts": "the date of an event",
  "gateway/role.ts": "the date of an event",
  "gateway/sampler.ts": "the date of a sample",
  "images/guest/parts.ts":
    "when a part was made, for lists, and the age of one that was left unfinished",
  "traces/trace-export.ts": "the date of an event",
  "control/schedules.ts": "the time in the event of a schedule that is run by hand",
  "schedules/scheduled-runs.ts":
    "when a run began, for its record, the age of a due moment, and the date of an event",
  "schedules/scheduler.ts": "which moments have come due, and the date of an event",
  "schedules/unseen-runs.ts":
    "how long ago a run of an earlier life began; bounded by the longest that it may take, whatever it says",
};

for (const [way, jumpMs] of [
  ["forward", HOUR_MS],
  ["back", -HOUR_MS],
] as const) {
  describe(`a clock that jumps ${way} by an hour`, () => {
    test("neither shortens nor lengthens the run of a call", async () => {
      const bench = new PoolBench();
      const { clock } = bench;
      bench.driver.behaviour.answersCalls = false;
      const records: InvocationRecord[] = [];
      const logs = new SandboxLogs({ clock, onRecord: () => {}, onStray: () => {} });
      const fn = makeFunction({ timeoutMs: 1000 });
      const reply = new CollectReply(1000);
      const call = new Invocation(
        { clock, logs, onLateFrame: () => {}, onDone: (_, record) => void records.push(record) },
        bench.pools().open(fn),
        {
          id: "inv-1",
          lines,
          headerBlock: "",
          body: null,
          isEvent: true,
          trace: null,
          count: new CallCount(),
          path: "",
        },
        reply,
      );
      const startedAt = clock.wall();
      call.start();
      await settle();
      clock.advance(600);
      clock.jumpWall(jumpMs);
      clock.advance(399);
      assert.equal(records.length, 0);
      clock.advance(1);
      await settle();
      const { status } = await reply.collected;
      assert.equal(status, 504);
      const record = records[0] as InvocationRecord | undefined;
      assert.equal(record?.errorCode, "function_timeout");
      assert.equal(record?.totalMs, 1000);
      assert.equal(record?.startedAt, startedAt);
    });

    test("neither shortens nor lengthens the wait for a sandbox, its init, or its idle life", async () => {
      const bench = new PoolBench();
      const pools = bench.pools();
      bench.clock.jumpWall(jumpMs);
      const times = { queueTimeoutMs: 300, initTimeoutMs: 500, idleTimeoutMs: 5000 };
      const pool = pools.open(makeFunction({ ...times, maxSandboxes: 1 }));
      const [busy, waiting] = callers(2) as [Caller, Caller];
      pool.acquire(busy);
      await settle();
      pool.acquire(waiting);
      bench.clock.jumpWall(jumpMs);
      bench.clock.advance(299);
      assert.equal(waiting.settled, false);
      bench.clock.advance(1);
      assert.equal(waiting.error?.code, "queue_timeout");
      pool.release(busy.sandbox as PooledSandbox);
      bench.clock.jumpWall(jumpMs);
      bench.clock.advance(4999);
      assert.equal(bench.driver.alive.length, 1);
      bench.clock.advance(1);
      await settle();
      assert.equal(bench.driver.alive.length, 0);
      bench.driver.behaviour.onInit = () => "hang";
      const [late] = callers(1) as [Caller];
      pools.open(makeFunction(times, { name: "late", functionId: "fn-2" })).acquire(late);
      await settle();
      bench.clock.jumpWall(jumpMs);
      bench.clock.advance(499);
      assert.equal(late.settled, false);
      bench.clock.advance(1);
      await settle();
      assert.equal(late.error?.code, "init_timeout");
    });
  });
}

test("the wall clock is read for dates alone, in these files", () => {
  const files = readdirSync(sources, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".ts"))
    .filter((name) => !/\.(test|fixture)\.ts$|\/(testing|conformance)\//.test(name));
  const found = files.filter((name) =>
    /Date\.now\(|new Date\(\)|\.wall\(\)/.test(readFileSync(join(sources, name), "utf8")),
  );
  assert.deepEqual(found.toSorted(), Object.keys(readers).toSorted());
});

const lines = {
  ...{ method: "", target: "", prefix: "", sourceAddress: "", httpVersion: "", scheme: "" },
  ...{ routeKey: "", pathParameters: "" },
};
