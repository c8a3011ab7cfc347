import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Caller,
  PoolBench,
  callers,
  makeFunction,
  settle,
} from "../pool/testing/pool-bench.ts";
import { Admission } from "./admission.ts";
import { FunctionTable } from "./function-table.ts";

test("callers that wait while the next revision's driver is not there hear so, and not of a deletion", async () => {
  const table = new FunctionTable(new PoolBench().pools(), new Admission(10), () => {});
  table.reset([makeFunction({ maxSandboxes: 1 })], true, true);
  const entry = table.get("default", "hello");
  assert.ok(entry);
  const pool = table.poolOf(entry);
  const [running, waiting] = callers(2) as [Caller, Caller];
  pool.acquire(running);
  await settle();
  pool.acquire(waiting);
  table.upsert(makeFunction({ driver: "docker" }, { revision: 2 }));
  assert.equal(waiting.error?.code, "driver_unavailable");
  assert.match(waiting.error?.message ?? "", /needs the driver docker/);
});
