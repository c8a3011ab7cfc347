import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { comparisonRow, measuredDriver } from "../comparisons/comparison-row.fixture.ts";
import { driverCost, listPricePerMillion } from "./driver-cost.ts";
import { functionCost } from "./function-cost.ts";
import { billedMsOf, listPrice } from "./list-price.ts";
import { machinePrice } from "./machine-price.ts";
import { ownPriceList, readPriceList } from "./price-list.ts";

const list = readPriceList(ownPriceList);
/** 7200 seconds for 2 cores and 2 GiB of it: a second of a core and of a GB each cost 1/7200. */
const machine = machinePrice({
  ...{ currency: "USD", pricePerHour: 1, cores: 4, memoryMiB: 4096, headroomPercent: 50 },
});

function near(given: number | null | undefined, expected: number): void {
  assert.ok(given !== null && given !== undefined, `nothing instead of ${expected}`);
  assert.ok(Math.abs(given - expected) <= 1e-9 * Math.abs(expected), `${given}, not ${expected}`);
}

describe("the price of the machine", () => {
  test("is that of what may be used of it, all of it for CPU and all of it for memory", () => {
    assert.deepEqual([machine.usableCores, machine.usableMemoryMiB], [2, 2048]);
    near(machine.perSecond, 1 / 3600);
    near(machine.perCpuSecond, 1 / 7200);
    near(machine.perGbSecond, 1 / 7200);
  });
});

describe("the cost of a function", () => {
  const use = { driver: "process", memoryMiB: 512, calls: 1_000_000, busyMs: 1e6 * 20 } as const;

  test("is that of its memory where nothing is known of its CPU", () => {
    // 20,000 s x 0.5 GB x 1/7200
    const cost = functionCost({ ...use, cpuMicrosPerCall: null }, machine);
    near(cost.gbSeconds, 10_000);
    near(cost.cost, 10_000 / 7200);
    assert.equal(cost.cpuCost, null);
  });

  test("is that of its CPU where this is more", () => {
    const cost = functionCost({ ...use, cpuMicrosPerCall: 15_000 }, machine);
    near(cost.cpuSeconds, 15_000);
    near(cost.cost, 15_000 / 7200);
    near(functionCost({ ...use, cpuMicrosPerCall: 5000 }, machine).cost, 10_000 / 7200);
  });

  test("counts the kernel of a driver that has one of its own", () => {
    const cost = functionCost({ ...use, driver: "gvisor", cpuMicrosPerCall: null }, machine);
    near(cost.gbSeconds, (20_000 * (512 + 64)) / 1024);
  });
});

describe("the cost of a driver", () => {
  const { subject } = comparisonRow();

  test("is the price of the machine over the calls that it can do, whichever of CPU and memory bounds them", () => {
    const cost = driverCost(measuredDriver("process"), subject, machine);
    // 60 + 40 us a call on 2 cores; 16 sandboxes of 128 MiB, each free again after 0.5 ms
    assert.equal(cost.cpuMicrosPerCall, 100);
    near(cost.callsPerSecondByCpu, 20_000);
    near(cost.callsPerSecondByMemory, 32_000);
    assert.equal(cost.bound, "cpu");
    near(cost.perMillionCalls, (1 / 3600 / 20_000) * 1e6);
    assert.deepEqual([cost.sandboxesReserved, cost.sandboxesMeasured], [16, 128]);
    near(cost.perGbSecondReserved, 1 / 3600 / 2);
    near(cost.perGbSecondMeasured, 1 / 3600 / 16);
  });

  test("is bound by memory where calls are long", () => {
    const slow = measuredDriver("process");
    for (const figure of slow.figures) if (figure.name === "warmP50") figure.median = 100;
    const cost = driverCost(slow, subject, machine);
    near(cost.callsPerSecondByMemory, 160);
    assert.equal(cost.bound, "memory");
    near(driverCost(slow, { ...subject, concurrency: 10 }, machine).callsPerSecondByMemory, 1600);
  });

  test("is unknown where nothing was measured, and where not one sandbox has room", () => {
    const none = driverCost({ driver: "process", figures: [] }, subject, machine);
    assert.deepEqual(
      [none.perMillionCalls, none.bound, none.perGbSecondMeasured],
      [null, null, null],
    );
    assert.equal(listPricePerMillion({ figures: [] }, subject, list), null);
    const large = driverCost(measuredDriver("process"), { ...subject, memoryMiB: 4096 }, machine);
    assert.deepEqual([large.perGbSecondReserved, large.perMillionCalls], [null, null]);
  });
});

describe("the price by the list of a provider", () => {
  const calls = { calls: 1e6, billedMs: 100e6, memoryMiB: 128, tmpMiB: 64 };

  test("is that of the requests and of the memory for their time", () => {
    // 100,000 s x 0.125 GB = 12,500 GB-s
    const price = listPrice([calls], list, "x86_64");
    near(price.requests, 0.2);
    near(price.duration, 12_500 * 0.0000166667);
    assert.equal(price.storage, 0);
    near(price.total, 0.2 + 12_500 * 0.0000166667);
    near(listPrice([calls], list, "arm64").duration, 12_500 * 0.0000133334);
  });

  test("has storage beyond what is free", () => {
    const price = listPrice([{ ...calls, tmpMiB: 512 + 1024 }], list, "x86_64");
    near(price.storage, 100_000 * 0.0000000309);
  });

  test("falls from tier to tier", () => {
    const gbSeconds = 16e9;
    const large = { calls: 0, billedMs: gbSeconds * 1000, memoryMiB: 1024, tmpMiB: 0 };
    const expected = 6e9 * 0.0000166667 + 9e9 * 0.000015 + 1e9 * 0.0000133334;
    near(listPrice([large], list, "x86_64").duration, expected);
  });

  test("counts a begun step of time as a whole one", () => {
    assert.deepEqual(
      [0, 0.2, 1, 1.01].map((ms) => billedMsOf(ms, list)),
      [1, 1, 1, 2],
    );
    assert.equal(billedMsOf(101, { billedMsStep: 100 }), 200);
  });
});

describe("the example of docs/cost.md", () => {
  const page = readFileSync(new URL("../../../docs/cost.md", import.meta.url), "utf8");
  const example = page.slice(page.indexOf("## An example"));

  /** The result of the line `name = ... = result`. */
  function said(name: string): number {
    const line = example.split("\n").find((one) => one.trim().startsWith(`${name} `));
    return Number(line?.split(" = ").at(-1));
  }

  /** The page has six digits. */
  function holds(name: string, computed: number | null): void {
    assert.equal(said(name), Number((computed ?? Number.NaN).toPrecision(6)), name);
  }

  const paid = machinePrice({
    ...{ currency: "USD", pricePerHour: 0.1, cores: 2, memoryMiB: 8192, headroomPercent: 30 },
  });

  test("is what the formulas give", () => {
    holds("perSecond", paid.perSecond);
    holds("perCpuSecond", paid.perCpuSecond);
    holds("perGbSecond", paid.perGbSecond);
    const use = { driver: "process", memoryMiB: 128, calls: 1e6, busyMs: 500_000 } as const;
    const cost = functionCost({ ...use, cpuMicrosPerCall: 100 }, paid);
    for (const name of ["gbSeconds", "memoryCost", "cpuSeconds", "cpuCost", "cost"] as const)
      holds(name, cost[name]);
    const { subject } = comparisonRow();
    const driver = driverCost(measuredDriver("process"), subject, paid);
    for (const name of ["callsPerSecondByCpu", "sandboxesReserved", "sandboxesMeasured"] as const)
      holds(name, driver[name]);
    holds("callsPerSecondByMemory", driver.callsPerSecondByMemory);
    holds("perMillionCalls", driver.perMillionCalls);
    holds("perGbSecondReserved", driver.perGbSecondReserved);
    holds("perGbSecondMeasured", driver.perGbSecondMeasured);
    const prices = listPricePerMillion(measuredDriver("process"), subject, list)?.x86_64;
    holds("requests", prices?.requests ?? null);
    holds("duration", prices?.duration ?? null);
    assert.ok(Math.abs(said("total") - (prices?.total ?? 0)) < 1e-7);
  });
});

describe("a price list", () => {
  test("that is none is refused with the place that is wrong", (t) => {
    const dir = mkdtempSync(join(tmpdir(), "isola-prices-"));
    t.after(() => rmSync(dir, { recursive: true }));
    const path = join(dir, "list.json");
    const good = readFileSync(ownPriceList, "utf8");
    const cases: [(text: string) => string, RegExp][] = [
      [() => "{", /is no price list/],
      [() => "[]", /expected an object/],
      [(text) => text.replace('"USD"', '"usd"'), /currency/],
      [(text) => text.replace('"2026-11-29"', '"today"'), /date/],
      [(text) => text.replace("0.2,", "-1,"), /perMillionRequests/],
      [(text) => text.replace("15000000000", "1"), /x86_64: tier 1: .* above 6000000000/],
      [(text) => text.replaceAll("null", "5e30"), /x86_64: the last tier/],
      [(text) => text.replace('"arm64"', '"arm"'), /arm64: expected a list/],
      [(text) => text.replace('"billedMsStep": 1', '"billedMsStep": 0'), /billedMsStep/],
      [() => `"${"x".repeat(200_000)}"`, /characters/],
    ];
    for (const [change, words] of cases) {
      writeFileSync(path, change(good));
      assert.throws(() => readPriceList(path), { code: "invalid_settings", message: words });
    }
    assert.throws(() => readPriceList(join(dir, "none")), { code: "invalid_settings" });
    writeFileSync(path, good);
    assert.deepEqual(readPriceList(path), list);
  });
});
