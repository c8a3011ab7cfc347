import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MetricsQueryString } from "@isola/api/metrics";
import { metricsAsked } from "../../server/src/control/metrics-query.ts";
import { leadingFunctions, readMetrics } from "../../server/src/control/metrics-reader.ts";
import { systemClock } from "../../server/src/domain/clock.ts";
import { idSource } from "../../server/src/domain/ids.ts";
import type { MetricName } from "../../server/src/metrics/catalogue.ts";
import { FunctionPlaces } from "../../server/src/metrics/exposition/function-places.ts";
import { RunningTotals } from "../../server/src/metrics/exposition/running-totals.ts";
import { ChunkWriter } from "../../server/src/records/chunk-writer.ts";
import { openSqliteStore } from "../../server/src/store/sqlite/open-sqlite-store.ts";
import type { Store } from "../../server/src/store/store.ts";
import { type Load, recordAt } from "../records/load.ts";

const PER_BATCH = 4096;
const DAY_MS = 86_400_000;
const ROUNDS = 5;
const BATCHES_PER_COUNT = 48;
const newId = idSource("inv");
let batches = 0;

/** Prints what storing a record costs, metrics included, and how long the queries of a dashboard take over 30 days of 1,000 functions. */
async function main(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "isola-bench-metrics-"));
  try {
    for (const functions of [1, 100, 1000]) await ingest(join(dir, `${functions}.db`), functions);
    await dashboard(join(dir, "month.db"));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function loadOf(functions: number): Load {
  const rest = { calls: 0, perSecond: 0, paths: 100, failures: 5, isKept: true };
  return { name: "", functions, ...rest };
}

/** As the control plane stores them, batch after batch as fast as it can, and counts them after as many as come in ten seconds at 20,000 a second. */
async function ingest(path: string, functions: number): Promise<void> {
  const store = await openSqliteStore({ path });
  const load = loadOf(functions);
  const writer = new ChunkWriter(PER_BATCH);
  const stored: number[] = [];
  const counted: number[] = [];
  const told: number[] = [];
  const totals = new RunningTotals(new FunctionPlaces(functions));
  for (let at = 0; at < functions; at += 1) totals.places.put("default", `function-${at}`);
  let storedMs = 0;
  for (let round = 0; round < BATCHES_PER_COUNT * 2; round += 1) {
    for (let at = 0; at < PER_BATCH; at += 1)
      writer.add({ ...recordAt(load, round * PER_BATCH + at, newId()), queueMs: 0 });
    const invocations = writer.take();
    let startedAt = performance.now();
    stored.push(
      (await cpuOf(async () => void (await store.recordBatch(batchOf(invocations))))) / PER_BATCH,
    );
    storedMs += performance.now() - startedAt;
    told.push((await cpuOf(async () => totals.add(batchOf(invocations), 0))) / PER_BATCH);
    if (round % BATCHES_PER_COUNT === BATCHES_PER_COUNT - 1) {
      startedAt = performance.now();
      const cpu = await cpuOf(() => store.countInvocations());
      counted.push(cpu / PER_BATCH / BATCHES_PER_COUNT);
      storedMs += performance.now() - startedAt;
    }
  }
  const perSecond = (1000 * PER_BATCH * BATCHES_PER_COUNT * 2) / storedMs;
  say(
    `${functions} functions`.padEnd(16) +
      `CPU a record: stored ${middle(stored).toFixed(2)} us, counted ${Math.min(...counted).toFixed(2)} us, for /metrics ${middle(told).toFixed(2)} us; ${Math.round(perSecond)} records/s`,
  );
  await store.close();
}

async function cpuOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function batchOf(invocations: Uint8Array) {
  batches += 1;
  return { source: "bench", batch: batches, invocations, logs: [] };
}

/** A call of each of 1,000 functions in each hour of 30 days. */
async function dashboard(path: string): Promise<void> {
  const now = Date.now();
  let wall = now - 30 * DAY_MS;
  const store = await openSqliteStore({ path, clock: { ...systemClock, wall: () => wall } });
  const load = loadOf(1000);
  const writer = new ChunkWriter(PER_BATCH);
  for (let call = 0; call < 720_000; call += 1) {
    const startedAt = now - 30 * DAY_MS + (call / 720_000) * 30 * DAY_MS;
    writer.add({ ...recordAt(load, call, newId()), startedAt });
    if (!writer.isFull && call !== 719_999) continue;
    await store.recordBatch(batchOf(writer.take()));
    wall = startedAt;
    if (call % 24_000 < PER_BATCH) await store.rollUpMetrics();
  }
  wall = now;
  await store.rollUpMetrics();
  const kept = {
    minutesKeptMinutes: 2880,
    hoursKeptMinutes: 62 * 1440,
    daysKeptMinutes: 800 * 1440,
  };
  await store.trimMetrics(kept);
  const file = path.replace(/\.db$/, "-records.db");
  say(
    `30 days of 1,000 functions: ${(statSync(file).size / 2 ** 20).toFixed(0)} MiB with the records`,
  );
  const month = { since: now - 30 * DAY_MS, until: now };
  await measure(store, "overview, by day", { ...month, stepMs: DAY_MS });
  await measure(store, "overview, by 6 hours", { ...month, stepMs: DAY_MS / 4 });
  await measure(store, "overview, with the month before", {
    ...month,
    stepMs: DAY_MS,
    compare: "previous",
  });
  const table = { ...month, stepMs: DAY_MS, groupBy: ["function" as const] };
  await measure(store, "50 functions with most calls", { ...table, limit: 50 });
  await measure(store, "one function, by hour", {
    ...month,
    stepMs: DAY_MS / 24,
    function: ["function-7"],
  });
  await store.close();
}

async function measure(store: Store, name: string, asked: MetricsQueryString): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now();
    await answer(store, asked);
    times.push(performance.now() - startedAt);
  }
  say(
    `${name.padEnd(34)}${Math.min(...times)
      .toFixed(0)
      .padStart(5)} / ${middle(times).toFixed(0).padStart(5)} ms`,
  );
}

async function answer(store: Store, asked: MetricsQueryString): Promise<void> {
  const { names, query } = metricsAsked(asked, asked.until as number);
  let { filter } = query;
  if (query.groupBy.includes("function")) {
    const lead = { metric: names[0] as MetricName, limit: asked.limit ?? 20 };
    filter = {
      ...filter,
      functionNames: (await leadingFunctions(store, query, lead)).slice(0, lead.limit),
    };
  }
  await readMetrics(store, { ...query, filter }, names);
  if (asked.compare === undefined) return;
  const { from, until } = query;
  await readMetrics(store, { ...query, filter, from: 2 * from - until, until: from }, names);
}

function middle(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await main();
