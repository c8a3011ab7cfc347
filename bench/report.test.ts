import assert from "node:assert/strict";
import { test } from "node:test";
import type { WarmRow } from "./cases/warm.ts";
import { ratioText, type Results, reportText } from "./report.ts";
import { short, table } from "./table.ts";

const one = { min: 1, median: 1, max: 1 };

function warmRow(subject: string, cpuMicros: { min: number; median: number }): WarmRow {
  return {
    subject,
    isolation: "none",
    payload: "0 B",
    requests: 1000,
    reopened: 0,
    endedProcesses: 0,
    cpuMicros: { ...cpuMicros, max: 99 },
    requestsPerSecond: { min: 900, median: 1000, max: 1100 },
    addedP50Micros: one,
    addedP99Micros: one,
    p50Micros: one,
    p99Micros: one,
  };
}

const results: Results = {
  startedAt: "2026-01-02T03:04:05.000Z",
  kind: "quick",
  tookSeconds: 61.4,
  machine: { cpu: "Some CPU", cores: 2, memoryGiB: 8, kernel: "6.1", node: "v26", loadBefore: 0.3 },
  warm: [warmRow("peer", { min: 30, median: 40 }), warmRow("isola node", { min: 10, median: 20 })],
  cold: [],
  memory: [],
  deploy: [],
  deadlines: [],
  routes: [],
  bursts: [],
  scrapes: [],
  scrapedGateway: null,
  leftOut: ["the moon"],
};

test("a ratio above one says that Isola takes less CPU, by medians and by minima", () => {
  const [peer, isola] = results.warm as [WarmRow, WarmRow];
  assert.equal(ratioText(isola, peer), "2.00 / 3.00");
  assert.equal(ratioText(peer, isola), "0.500 / 0.333");
});

test("the report names the machine, gives ratios before figures, and what was left out", () => {
  const text = reportText(results);
  assert.match(text, /^Some CPU, 2 cores, 8 GiB, Linux 6\.1, Node v26; load before 0\.3\n/);
  assert(text.indexOf("2.00 / 3.00") < text.indexOf("10.0 / 20.0"));
  assert(text.indexOf("10.0 / 20.0") > 0);
  assert.match(text, /Left out: the moon\n\nquick run, 61 s\n$/);
});

test("without Isola there are figures and no ratios", () => {
  const text = reportText({ ...results, warm: results.warm.slice(0, 1) });
  assert(!text.includes("how many times"));
  assert(text.includes("30.0 / 40.0"));
});

test("columns are as wide as their widest cell, the first to the left", () => {
  assert.equal(
    table(
      ["", "n"],
      [
        ["ab", "100"],
        ["c", "2"],
      ],
    ),
    "      n\n--  ---\nab  100\nc     2",
  );
});

test("figures have three digits, small ones three decimals, and no exponent", () => {
  assert.deepEqual([0, 0.01234, 1.2345, 12.345, 123.45, 12345.6, Number.NaN].map(short), [
    "0.00",
    "0.012",
    "1.23",
    "12.3",
    "123",
    "12346",
    "-",
  ]);
});
