import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { workplace } from "../../test/run-isola.ts";

const of = (whole: number | null, ...steps: (number | null)[]) => ({ whole, steps });

function groupOf(labels: Record<string, string>, calls: number) {
  const sum = (name: string, value: number) => ({
    ...{ name, unit: "1", kind: "sum", statistics: { sum: of(value, value, 0) } },
  });
  const statistics = { mean: of(2), p50: of(1.234, 1.234, null), p95: of(12.3456, 12, null) };
  const duration = { name: "duration", unit: "ms", kind: "distribution", statistics };
  return { labels, metrics: [sum("invocations", calls), sum("errors", 1), duration] };
}

const view = {
  ...{ since: "2026-01-01T00:00:00.000Z", until: "2026-01-01T02:00:00.000Z", stepMs: 3_600_000 },
  ...{ resolutionMs: 3_600_000, steps: 2, isCut: false },
};

describe("isola metrics", () => {
  test("shows functions with what was counted of them", async (t) => {
    const { api, isola } = await workplace(t);
    const groups = [groupOf({ function: "a\u001b[2J" }, 20), groupOf({ function: "b" }, 3)];
    api.answers["GET /api/v1/metrics"] = { ...view, groups, isCut: true };
    const { stdout, exitCode } = await isola("metrics", "--since", "24h", "--driver", "docker");
    assert.equal(exitCode, 0);
    const lines = stdout.split("\n");
    assert.match(lines[0] ?? "", /^GROUP +CALLS +ERRORS +COLD +P50 MS +P95 MS/);
    assert.match(lines[1] ?? "", /^a\\x1b\[2J +20 +1 +- +1\.23 +12\.3/);
    assert.match(lines[2] ?? "", /^b +3 /);
    assert.match(lines[3] ?? "", /more functions/);
    assert.equal(api.query.get("groupBy"), "function");
    assert.equal(api.query.get("driver"), "docker");
    const agoMs = Date.now() - Number(api.query.get("since"));
    assert.ok(agoMs >= 86_400_000 && agoMs < 86_460_000);
  });

  test("and all that lists what projects own ask for one project", async (t) => {
    const { api, isola } = await workplace(t);
    api.answers["GET /api/v1/metrics"] = { ...view, groups: [] };
    for (const path of ["GET /api/v1/invocations", "GET /api/v1/events"])
      api.answers[path] = { items: [], nextCursor: null };
    for (const command of ["metrics", "invocations", "events"]) {
      assert.equal((await isola(command, "--project", "team-a")).exitCode, 0, command);
      assert.equal(api.query.get("project"), "team-a", command);
    }
  });

  test("shows one function by steps in which something was, and all of them together", async (t) => {
    const { api, isola } = await workplace(t);
    api.answers["GET /api/v1/metrics"] = { ...view, groups: [groupOf({}, 20)] };
    const { stdout } = await isola("metrics", "hello", "--step", "1h", "--since", "2026-01-01");
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines.length, 3);
    assert.match(lines[1] ?? "", /^2026-01-01T00:00 +20 +1 /);
    assert.match(lines[2] ?? "", /^all +20 +1 /);
    const { query } = api;
    assert.deepEqual([query.get("function"), query.get("stepMs")], ["hello", "3600000"]);
    assert.equal(query.get("since"), String(Date.parse("2026-01-01")));
  });

  test("shows every statistic of metrics that are named, with the time before", async (t) => {
    const { api, isola } = await workplace(t);
    const statistics = {
      mean: { ...of(3.5), previousWhole: 7 },
      max: { ...of(9), previousWhole: null },
    };
    const metrics = [{ name: "running", unit: "1", kind: "gauge", statistics }];
    api.answers["GET /api/v1/metrics"] = { ...view, groups: [{ labels: {}, metrics }] };
    const { stdout } = await isola("metrics", "--metric", "running", "--compare");
    assert.match(stdout, /^all +running +mean +3\.50 +7\n/m);
    assert.match(stdout, /^all +running +max +9 +-$/m);
    assert.equal(api.query.get("compare"), "previous");
    assert.equal((await isola("metrics", "--json")).stdout.trim().startsWith("{"), true);
    for (const wrong of [
      ["--since", "soon"],
      ["--step", "1"],
      ["--limit", "x"],
    ])
      assert.equal((await isola("metrics", ...wrong)).exitCode, 2);
  });
});

const invocation = {
  ...{ id: "inv-1", functionName: "hello", revision: 3, driver: "process", startKind: null },
  ...{
    outcome: "platform_error",
    errorCode: "queue_full",
    status: 429,
    totalMs: 1.25,
    cpuMs: null,
  },
  startedAt: "2026-01-01T00:00:00.000Z",
};

describe("isola invocations", () => {
  test("lists those that the flags ask for", async (t) => {
    const { api, isola } = await workplace(t);
    api.answers["GET /api/v1/invocations"] = { items: [invocation], nextCursor: null };
    const flags = ["--function", "hello", "--outcome", "timeout", "--start-kind", "none"];
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const more = ["--min-duration-ms", "5", "--trace-id", traceId];
    const { stdout } = await isola("invocations", "list", ...flags, ...more);
    assert.match(stdout, /inv-1 +hello@3 +process +none +queue_full +429 +1\.[23] +-/);
    const asked = Object.fromEntries(api.query);
    assert.deepEqual(asked, {
      ...{ function: "hello", outcome: "timeout", startKind: "none", minDurationMs: "5" },
      traceId,
      limit: "50",
    });
  });

  test("shows one with its log lines", async (t) => {
    const { api, isola } = await workplace(t);
    const line = { at: "2026-01-01T00:00:00.500Z", invocationId: "inv-1", stream: "stdout" };
    const logs = [
      { ...line, level: "none", message: null, text: "said\u001b[1m", truncated: false },
    ];
    api.answers["GET /api/v1/invocations/inv-1"] = { ...invocation, logs };
    const { stdout } = await isola("invocations", "show", "inv-1");
    assert.match(stdout, /^functionName +hello$/m);
    assert.match(stdout, /^cpuMs +-$/m);
    assert.match(stdout, /stdout inv-1 said\\x1b\[1m/);
    assert.equal((await isola("invocations", "show")).exitCode, 2);
    assert.equal((await isola("invocations", "drop")).exitCode, 2);
  });
});
