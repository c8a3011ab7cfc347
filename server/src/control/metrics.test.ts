import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { metricNames as toldNames } from "@isola/api/limits";
import type { MetricsView } from "@isola/api/metrics";
import { metricNames } from "../metrics/catalogue.ts";
import { batchOf, invocation, steppedClock } from "../store/conformance/fixture.ts";
import { openControlPlane } from "./control-plane.fixture.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A begin of a day. */
const midnight = 1_700_006_400_000;

/** Ten minutes after midnight; the gateway has looked in minutes 0 and 2. */
async function openWithCalls(t: TestContext) {
  const clock = steppedClock(midnight + 10 * MINUTE_MS);
  const plane = await openControlPlane(t, clock);
  const call = (minute: number, change: object) =>
    invocation({ startedAt: midnight + minute * MINUTE_MS, killMs: null, ...change });
  const batch = batchOf([
    call(0, { functionName: "a", totalMs: 10 }),
    call(0, { functionName: "a", totalMs: 20, outcome: "timeout", killMs: 40 }),
    call(2, { functionName: "a", totalMs: 30, startKind: "cold", startMs: 5, initMs: 2 }),
    call(2, { functionName: "b", totalMs: 40, outcome: "cancelled", driver: "docker" }),
    call(-12, { functionName: "b", totalMs: 50 }),
  ]);
  const part = { project: "default", functionName: "a", functionId: "fn-1", revision: 1 };
  const sample = (minute: number, values: Record<string, number>) => ({
    at: midnight + minute * MINUTE_MS,
    parts: [{ ...part, driver: "process", values }],
  });
  const samples = [
    sample(0, { running: 2, "sandboxes:busy": 1, "sandboxes:idle": 3 }),
    sample(0, { running: 4, "sandboxes:busy": 2, "ends:idle": 3 }),
    { at: midnight + 2 * MINUTE_MS, parts: [] },
  ];
  await plane.store.recordBatch({ ...batch, samples });
  const ask = async (query: string) => {
    const answer = await plane.call("GET", `/api/v1/metrics?${query}`, { scope: "read" });
    assert.equal(answer.statusCode, 200, answer.body);
    return answer.json() as MetricsView;
  };
  return { ...plane, clock, ask };
}

function valuesIn(view: MetricsView, name: string, group = 0) {
  const metric = view.groups[group]?.metrics.find((one) => one.name === name);
  return metric?.statistics ?? {};
}

const range = `since=${midnight}&until=${midnight + 4 * MINUTE_MS}&stepMs=${MINUTE_MS}`;

describe("metrics through the API", () => {
  test("count calls by step, with percentiles within two percent, and nothing where nothing was", async (t) => {
    const { ask } = await openWithCalls(t);
    const view = await ask(range);
    assert.deepEqual(
      [view.since, view.until, view.steps, view.stepMs, view.resolutionMs],
      ["2023-11-15T00:00:00.000Z", "2023-11-15T00:04:00.000Z", 4, MINUTE_MS, MINUTE_MS],
    );
    assert.deepEqual(valuesIn(view, "invocations").sum, { whole: 4, steps: [2, 0, 2, 0] });
    assert.deepEqual(valuesIn(view, "errors").sum, { whole: 1, steps: [1, 0, 0, 0] });
    assert.deepEqual(valuesIn(view, "coldStarts").sum, { whole: 1, steps: [0, 0, 1, 0] });
    const { mean, p50, p99 } = valuesIn(view, "duration");
    assert.deepEqual(mean, { whole: 25, steps: [15, null, 35, null] });
    assert.ok(Math.abs((p50?.whole as number) / 20 - 1) < 0.02);
    assert.ok(Math.abs((p99?.steps[2] as number) / 40 - 1) < 0.02);
    assert.equal(p99?.steps[1], null);
  });

  test("are compared with the time before", async (t) => {
    const { ask } = await openWithCalls(t);
    const query = `since=${midnight}&until=${midnight + 10 * MINUTE_MS}&stepMs=${5 * MINUTE_MS}`;
    const view = await ask(`${query}&metric=invocations&compare=previous`);
    assert.deepEqual(valuesIn(view, "invocations").sum, {
      ...{ whole: 4, steps: [4, 0], previousWhole: 0, previousSteps: [0, 0] },
    });
    const longer = `since=${midnight}&until=${midnight + 15 * MINUTE_MS}&stepMs=${5 * MINUTE_MS}`;
    const further = await ask(`${longer}&metric=invocations&compare=previous`);
    assert.deepEqual(valuesIn(further, "invocations").sum?.previousSteps, [1, 0, 0]);
  });

  test("have groups, those of functions with most of the first metric first, and filters", async (t) => {
    const { ask } = await openWithCalls(t);
    const told = (view: MetricsView) =>
      view.groups.map(({ labels, metrics }) => [
        Object.values(labels).join(" "),
        metrics[0]?.statistics.sum?.whole,
      ]);
    const metric = "metric=invocations";
    assert.deepEqual(told(await ask(`${range}&${metric}&groupBy=function`)), [
      ["a", 3],
      ["b", 1],
    ]);
    const cut = await ask(`${range}&${metric}&groupBy=function&limit=1`);
    assert.deepEqual([told(cut), cut.isCut], [[["a", 3]], true]);
    const byOutcome = await ask(`${range}&${metric}&groupBy=outcome&groupBy=driver`);
    assert.deepEqual(told(byOutcome).toSorted(), [
      ["cancelled docker", 1],
      ["ok process", 2],
      ["timeout process", 1],
    ]);
    assert.deepEqual(told(await ask(`${range}&${metric}&function=a&outcome=ok`)), [["", 2]]);
    assert.deepEqual(told(await ask(`${range}&${metric}&function=none`)), [["", 0]]);
    const both = `${range}&${metric}&function=b&function=none&groupBy=project&groupBy=function`;
    assert.deepEqual(told(await ask(both)), [["default b", 1]]);
  });

  test("of the gateway are means and maxima of its samples; where it did not look nothing is known", async (t) => {
    const { ask } = await openWithCalls(t);
    const view = await ask(`${range}&metric=running&metric=sandboxes&metric=ends`);
    assert.deepEqual(valuesIn(view, "running"), {
      mean: { whole: 2, steps: [3, null, 0, null] },
      max: { whole: 4, steps: [4, null, 0, null] },
    });
    assert.deepEqual(valuesIn(view, "sandboxes").mean?.steps, [3, null, 0, null]);
    assert.deepEqual(valuesIn(view, "sandboxes:busy").max?.steps, [2, null, 0, null]);
    assert.deepEqual(valuesIn(view, "ends:idle").sum, { whole: 3, steps: [3, null, 0, null] });
    const byFunction = await ask(`${range}&metric=running&groupBy=function`);
    assert.deepEqual(valuesIn(byFunction, "running").mean?.steps, [3, null, 0, null]);
  });

  test("are the same by the hour and by the day, added up or not yet", async (t) => {
    const { ask, clock, store } = await openWithCalls(t);
    const day = 24 * HOUR_MS;
    const whole = `since=${midnight - day}&until=${midnight + day}&metric=invocations&metric=running`;
    const read = async (stepMs: number) => {
      const view = await ask(`${whole}&stepMs=${stepMs}`);
      const { max, mean } = valuesIn(view, "running");
      return [valuesIn(view, "invocations").sum?.whole, max?.whole, mean?.whole];
    };
    for (const hours of [0, 2, 30]) {
      clock.stepMs(hours * HOUR_MS);
      await store.rollUpMetrics();
      for (const stepMs of [HOUR_MS, day]) assert.deepEqual(await read(stepMs), [5, 4, 2]);
    }
    // The minutes are older than they are kept.
    clock.stepMs(60 * HOUR_MS);
    const old = await ask(range);
    assert.deepEqual(valuesIn(old, "invocations").sum?.steps, [null, null, null, null]);
  });

  test("that cannot be told are refused with all reasons", async (t) => {
    const { call } = await openWithCalls(t);
    const query = `since=${midnight + HOUR_MS}&until=${midnight}&stepMs=90001&revision=1`;
    const refused = await call("GET", `/api/v1/metrics?${query}&metric=running&groupBy=outcome`);
    assert.equal(refused.statusCode, 400);
    const paths = refused.json().error.details.map(({ path }: { path: string }) => path);
    assert.deepEqual(paths, ["query.stepMs", "query.since", "query.revision", "query.metric"]);
    const many = `since=0&until=${midnight}&stepMs=${MINUTE_MS}`;
    assert.equal((await call("GET", `/api/v1/metrics?${many}`)).statusCode, 400);
    assert.equal((await call("GET", "/api/v1/metrics?metric=nothing")).statusCode, 400);
  });

  test("have the same names in the API and in the server", () => {
    assert.deepEqual(toldNames, metricNames);
  });
});
