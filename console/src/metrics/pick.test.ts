import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetricsView } from "@isola/api/metrics";
import { detailsOf, linesOf, partsOf, timesOf } from "./pick.ts";

const sum = (steps: (number | null)[], previousSteps?: (number | null)[]) => ({
  sum: { whole: null, steps, ...(previousSteps && { previousSteps }) },
});

function view(groups: MetricsView["groups"]): MetricsView {
  const since = "1970-01-01T00:01:00.000Z";
  return {
    since,
    until: since,
    stepMs: 60_000,
    resolutionMs: 60_000,
    steps: 2,
    groups,
    isCut: false,
  };
}

const metric = (
  name: string,
  statistics: MetricsView["groups"][0]["metrics"][0]["statistics"],
) => ({
  ...{ name, unit: "1" as const, kind: "sum" as const, statistics },
});

test("steps have their times, and a line has that of the time before beside it", () => {
  const all = view([{ labels: {}, metrics: [metric("errors", sum([1, null], [0, 2]))] }]);
  assert.deepEqual(timesOf(all), [60_000, 120_000]);
  const wanted = {
    name: "errors",
    color: "#000",
    metric: "errors",
    statistic: "sum",
    hasPrevious: true,
  };
  assert.deepEqual(linesOf(all, [wanted]), [
    { name: "errors", color: "#000", values: [1, null] },
    { name: "errors before", color: "#000", values: [0, 2], isPrevious: true },
  ]);
});

test("groups and details become parts of a stack, in the order that is asked for", () => {
  const groups = ["timeout", "ok"].map((outcome, at) => ({
    labels: { outcome },
    metrics: [metric("invocations", sum([at, 5]))],
  }));
  const asked = {
    label: "outcome",
    metric: "invocations",
    statistic: "sum",
    names: ["ok", "timeout"],
    colors: {},
  };
  assert.deepEqual(
    partsOf(view(groups), asked).map(({ name }) => name),
    ["ok", "timeout"],
  );
  const details = view([
    {
      labels: {},
      metrics: [metric("sandboxes:idle", sum([1, 1])), metric("sandboxes", sum([2, 2]))],
    },
  ]);
  assert.deepEqual(
    detailsOf(details, { metric: "sandboxes", statistic: "sum", colors: {} }).map(
      ({ name }) => name,
    ),
    ["idle"],
  );
});
