import assert from "node:assert/strict";
import { type TestContext, describe, test } from "node:test";
import { comparisonRow } from "../comparisons/comparison-row.fixture.ts";
import { batchOf, invocation } from "../store/conformance/fixture.ts";
import { openControlPlane } from "./control-plane.fixture.ts";

const at = 1_700_000_000_000;
const period = `since=${at - 1000}&until=${at + 3_600_000 - 1000}`;
const files = { "index.mjs": "export const handler = () => 1" };
const settings = { runtime: "nodejs26", driver: "process", memoryMiB: 512, code: { files } };

/** A function with 1,000 calls of 20 ms each. */
async function openWithCalls(t: TestContext) {
  const plane = await openControlPlane(t);
  const body = { name: "hello", ...settings };
  await plane.call("POST", "/api/v1/functions", { body });
  const { id: functionId } = await plane.store.getFunction("default", "hello");
  const calls = Array.from({ length: 1000 }, (_, index) =>
    invocation({ id: `inv-${index}`, functionId, startedAt: at, initMs: null, runMs: 20 }),
  );
  await plane.store.recordBatch(batchOf(calls));
  return plane;
}

describe("the cost of functions through the API", () => {
  test("is that of the memory that their calls held, beside the list price of the same calls", async (t) => {
    const { call } = await openWithCalls(t);
    const { statusCode, ...answer } = await call("GET", `/api/v1/cost?${period}`);
    assert.equal(statusCode, 200);
    const { functions, total, currency, comparison } = answer.json();
    const [one] = functions;
    assert.deepEqual(
      [currency, functions.length, one.function, one.calls],
      ["USD", 1, "hello", 1000],
    );
    // 1,000 x 20 ms x 0.5 GB = 10 GB-s, of which each costs 1/7200
    assert.equal(one.gbSeconds, 10);
    assert.ok(Math.abs(one.cost - 10 / 7200) < 1e-12);
    assert.equal(one.cpuCost, null);
    const { requests, duration } = one.listPrice.x86_64;
    assert.ok(Math.abs(requests - 0.0002) < 1e-12 && Math.abs(duration - 0.000166667) < 1e-12);
    assert.deepEqual([total.calls, total.machineCost, comparison], [1000, 1, null]);
  });

  test("has the CPU of the latest comparison of the function, and prices its drivers", async (t) => {
    const { call, store } = await openWithCalls(t);
    await store.addComparison(comparisonRow({ id: "cmp-0", state: "failed", startedAt: at + 1 }));
    await store.addComparison(comparisonRow());
    const { functions, comparison } = (
      await call("GET", `/api/v1/cost?function=hello&${period}`)
    ).json();
    // 1,000 calls x 100 us
    assert.deepEqual([functions[0].cpuSeconds, functions[0].comparison], [0.1, "cmp-1"]);
    assert.ok(Math.abs(functions[0].cost - 10 / 7200) < 1e-12, "memory is the higher of the two");
    assert.deepEqual([comparison.id, comparison.drivers.length], ["cmp-1", 1]);
    assert.equal(comparison.drivers[0].bound, "cpu");
    assert.ok(comparison.drivers[0].listPricePerMillion.x86_64.total > 0.2);
  });

  test("counts nothing of what has no call, of other times, or of functions that are gone", async (t) => {
    const { call } = await openWithCalls(t);
    assert.deepEqual((await call("GET", "/api/v1/cost")).json().functions, []);
    assert.deepEqual((await call("GET", `/api/v1/cost?until=${at}`)).json().functions, []);
    await call("DELETE", "/api/v1/functions/hello");
    assert.deepEqual((await call("GET", `/api/v1/cost?${period}`)).json().functions, []);
  });

  test("of what is not there is refused, and so is a time that ends before it begins", async (t) => {
    const { call } = await openWithCalls(t);
    const statusOf = async (query: string) =>
      (await call("GET", `/api/v1/cost?${query}`)).statusCode;
    assert.equal(await statusOf("function=nobody"), 404);
    assert.equal(await statusOf("comparison=none"), 404);
    assert.equal(await statusOf("since=2&until=1"), 400);
    assert.equal(await statusOf("since=9007199254740991"), 400);
    assert.equal(await statusOf("since=253402300799999&until=253402300799999"), 200);
  });
});
