import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fakeKey } from "../../test/fake-api.ts";
import { runIsola, workplace } from "../../test/run-isola.ts";

const figure = { workload: "function", name: "warmP50", unit: "ms", missing: null };
const measured = {
  ...{ driver: "process", tier: "namespaces", versions: {}, memoryHow: "", state: "measured" },
  ...{ reason: null, density: { byBudget: 8, byIdleMemory: 80, byBusyMemory: null } },
  figures: [
    { ...figure, median: 0.5, min: 0.4, max: 0.6, values: [0.4, 0.5, 0.6] },
    {
      ...{ ...figure, name: "coldBlank", median: null, min: null, max: null, values: [] },
      missing: "no blank \u001b[2Jsandbox",
    },
  ],
};
const away = {
  ...measured,
  driver: "docker",
  state: "unavailable",
  reason: "no engine",
  figures: [],
};
const view = {
  ...{
    id: "cmp-1",
    function: "hello",
    revision: 3,
    state: "running",
    message: null,
    otherCalls: 0,
  },
  ...{ phase: "round 1 of 3, process: warm", percent: 5, endedAt: null },
  startedAt: "2026-01-01T00:00:00.000Z",
  drivers: [{ ...measured, state: "waiting", figures: [], density: null }, away],
  subject: { runtime: "nodejs26", memoryMiB: 128, tmpMiB: 64, concurrency: 1 },
  parameters: { repeats: 3, durationMs: 2000, connections: 8 },
  machine: { cores: 2, cpuModel: "EPYC", memoryMiB: 8192, kernel: "linux 6.1", loadBefore: 0.1 },
};
const done = { ...view, state: "done", phase: null, percent: 100, drivers: [measured, away] };

describe("isola compare", { timeout: 30_000 }, () => {
  test("says each phase as it begins, and shows the figures side by side at the end", async (t) => {
    const { api, isola } = await workplace(t);
    api.comparison = [view, { ...view, phase: "round 2 of 3, process: warm", percent: 40 }, done];
    const { exitCode, stdout, stderr } = await isola("compare", "--function", "hello");
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(stderr.trimEnd().split("\n"), [
      "comparison cmp-1; Ctrl-C cancels it",
      "docker is left out: no engine",
      "  5 % round 1 of 3, process: warm",
      " 40 % round 2 of 3, process: warm",
    ]);
    assert.match(stdout, /^warmP50 +ms +0\.5 \(0\.4 to 0\.6\)$/m);
    assert.match(stdout, /^coldBlank +ms +-$/m);
    assert.match(stdout, /^sandboxes by idleMemory +80$/m);
    assert.match(stdout, /^process, function coldBlank: no blank \\x1b\[2Jsandbox$/m);
    assert.match(stdout, /^docker: unavailable: no engine$/m);
  });

  test("asks with what was given, and with nothing else", async (t) => {
    const { api, isola } = await workplace(t);
    api.comparison = [done];
    await isola("compare", "--function", "hello");
    assert.deepEqual(api.compared, { function: "hello", request: { headers: [] } });
    const numbers = ["--repeats", "5", "--duration-ms", "100", "--cold-starts", "2"];
    const more = ["--connections", "4", "--starts", "3", "--mixes", "cpu,io", "--event", "[1]"];
    await isola("compare", "--function", "f", "--drivers", "process, docker", ...numbers, ...more);
    assert.deepEqual(api.compared, {
      ...{ function: "f", drivers: ["process", "docker"], mixes: ["cpu", "io"], event: [1] },
      ...{ repeats: 5, durationMs: 100, coldStarts: 2, connections: 4, starts: 3 },
    });
    await isola("compare", "--function", "f", "--mixes", "none");
    assert.deepEqual((api.compared as { mixes: string[] }).mixes, []);
  });

  test("is cancelled by Ctrl-C", async (t) => {
    const { api, dir } = await workplace(t);
    api.comparison = [view];
    const stop = new AbortController();
    const running = runIsola(["compare", "--function", "hello"], {
      ...{ env: { ISOLA_URL: api.url, ISOLA_API_KEY: fakeKey }, cwd: dir, signal: stop.signal },
    });
    while (!api.calls.includes("GET /api/v1/comparisons/cmp-1"))
      await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    const { exitCode, stderr } = await running;
    assert.equal(exitCode, 130);
    assert.deepEqual(api.ended, ["cmp-1"]);
    assert.match(stderr, /comparison cmp-1 was cancelled/);
  });

  test("that failed exits 1 with the reason", async (t) => {
    const { api, isola } = await workplace(t);
    const failed = { ...measured, state: "failed", reason: "it answered 500", figures: [] };
    api.comparison = [{ ...done, state: "failed", message: "on none of them", drivers: [failed] }];
    const { exitCode, stdout } = await isola("compare", "show", "cmp-1");
    assert.equal(exitCode, 1);
    assert.match(stdout, /\non none of them\n/);
    assert.match(stdout, /\nprocess: failed: it answered 500\n/);
  });

  test("lists, cancels, removes and exports", async (t) => {
    const { api, isola } = await workplace(t);
    assert.equal((await isola("compare", "list")).stdout, "No comparisons.\n");
    api.comparison = [view];
    assert.match(
      (await isola("compare", "list")).stdout,
      /^cmp-1 .* hello revision 3 {2}running, 5 %/,
    );
    assert.equal((await isola("compare", "rm", "cmp-1")).exitCode, 2);
    const cancelled = await isola("compare", "cancel", "cmp-1");
    assert.equal(cancelled.stdout, "comparison cmp-1 cancelled\n");
    api.comparison = [done];
    assert.equal((await isola("compare", "cancel", "cmp-1")).exitCode, 2);
    assert.equal((await isola("compare", "rm", "cmp-1")).exitCode, 0);
    assert.deepEqual(api.ended, ["cmp-1", "cmp-1"]);
    const csv = await isola("compare", "show", "cmp-1", "--format", "csv");
    assert.equal(csv.stdout, "table ?format=csv\n");
  });

  test("takes no other action or format, and asks for the function", async (t) => {
    const { api, isola } = await workplace(t);
    for (const argv of [
      [],
      ["show"],
      ["stop", "cmp-1"],
      ["list", "x"],
      ["list", "--format", "pdf"],
    ])
      assert.equal((await isola("compare", ...argv)).exitCode, 2, argv.join(" "));
    assert.deepEqual(api.calls, []);
  });
});

const price = { requests: 0.2, duration: 0.1, storage: 0, total: 0.3 };
const prices = { x86_64: price, arm64: { ...price, total: 0.28 } };
const cost = {
  ...{ currency: "EUR", since: "2026-01-01T00:00:00.000Z", until: "2026-01-31T00:00:00.000Z" },
  machine: { pricePerHour: 0.1, cores: 2, memoryMiB: 8192, headroomPercent: 30 },
  priceList: {
    ...{ provider: "AWS Lambda", region: "us-east-1", currency: "USD", date: "2026-11-29" },
    source: "https://example.com",
  },
  recordsKeptHours: 168,
  functions: [
    {
      ...{ function: "hello", driver: "process", calls: 1e6, gbSeconds: 62.5, cost: 0.00198413 },
      ...{ cpuSeconds: 100, listPrice: prices },
    },
  ],
  total: { calls: 1e6, cost: 0.00198413, machineCost: 72, listPrice: prices },
  comparison: null as unknown,
};

describe("isola cost", { timeout: 30_000 }, () => {
  test("shows what each function costs here and at the provider", async (t) => {
    const { api, isola } = await workplace(t);
    api.cost = cost;
    const { stdout, exitCode } = await isola("cost");
    assert.equal(exitCode, 0);
    assert.equal(api.costQuery, "");
    assert.match(stdout, /^function +driver +calls +GB-s +CPU s +cost EUR +AWS Lambda x86_64/m);
    assert.match(stdout, /^hello +process +1000000 +62\.5 +100\.0 +0\.001984 +0\.3 +0\.28$/m);
    assert.match(stdout, /all of it in this time: 72 EUR/);
    assert.match(stdout, /of 2026-11-29, in USD/);
  });

  test("prices the drivers of a comparison", async (t) => {
    const { api, isola } = await workplace(t);
    const driver = {
      ...{ driver: "gvisor", cpuMicrosPerCall: 99.6, bound: "cpu", perMillionCalls: 0.002 },
      ...{ sandboxesReserved: 29, sandboxesMeasured: null, listPricePerMillion: null },
      ...{ perGbSecondReserved: 0.0000076, perGbSecondMeasured: null },
    };
    api.cost = {
      ...cost,
      functions: [],
      comparison: { id: "cmp-1", function: "hello", drivers: [driver] },
    };
    const { stdout } = await isola("cost", "--function", "hello", "--comparison", "cmp-1");
    assert.equal(api.costQuery, "?function=hello&comparison=cmp-1");
    assert.match(stdout, /^No calls\.$/m);
    assert.match(stdout, /^gvisor +0\.002 +cpu +100 +29 \/ - +0\.0000076 \/ - +- +-$/m);
  });

  test("takes an age, and nothing that is none", async (t) => {
    const { api, isola } = await workplace(t);
    api.cost = cost;
    assert.equal((await isola("cost", "--since", "2h")).exitCode, 0);
    const since = Number(new URLSearchParams(api.costQuery).get("since"));
    assert.ok(Math.abs(Date.now() - 7_200_000 - since) < 3_600_000);
    for (const age of ["30", "d", "-1d", "1y", "1.5h"])
      assert.equal((await isola("cost", "--since", age)).exitCode, 2, age);
  });
});
