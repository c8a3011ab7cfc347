import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { DeployedFunction } from "../server/src/domain/function.ts";
import { Admission } from "../server/src/gateway/admission.ts";
import { FunctionTable } from "../server/src/gateway/function-table.ts";
import type { Pools } from "../server/src/pool/pools.ts";
import {
  bulkDeployed,
  bulkFunctions,
  bulkName,
  bulkRoute,
} from "../server/test/api/bulk-functions.ts";
import { TestServer, eventually } from "../server/test/harness.ts";
import { privateBytesOf } from "./memory.ts";
import { distributionOf } from "../server/src/comparisons/statistics.ts";
import { short, table } from "./table.ts";

/** `node bench/many-functions.ts`: what 100,000 registered functions, half of them with a route of their own, cost beside none. */
const COUNT = 100_000;
const LOOKUPS = 200_000;
const PART = 1000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** As the link hands them over: parsed from JSON, in parts. */
function filledTable(): { functions: FunctionTable; fillMs: number; bytesEach: number } {
  const functions = new FunctionTable({} as Pools, new Admission(1), () => {});
  const before = heapBytes();
  let fillMs = 0;
  for (let at = 0; at < COUNT; at += PART) {
    const part = Array.from({ length: PART }, (_, k) => bulkDeployed(at + k));
    const text = JSON.stringify(part);
    const startedAt = performance.now();
    const parsed = JSON.parse(text) as DeployedFunction[];
    functions.reset(parsed, at === 0, at + PART >= COUNT);
    fillMs += performance.now() - startedAt;
  }
  return { functions, fillMs, bytesEach: (heapBytes() - before) / COUNT };
}

function lookups(functions: FunctionTable, pathOf: (at: number) => string, among: number) {
  const paths = Array.from({ length: LOOKUPS }, () => pathOf(Math.floor(Math.random() * among)));
  const micros = new Float64Array(LOOKUPS);
  // The first round is for the compiler.
  for (let round = 0; round < 2; round += 1)
    for (const [at, path] of paths.entries()) {
      const startedAt = process.hrtime.bigint();
      functions.find("GET", path);
      micros[at] = Number(process.hrtime.bigint() - startedAt) / 1000;
    }
  const { p50, p99 } = distributionOf(micros);
  return [short(p50), short(p99)];
}

function measureTable(): void {
  const { functions, fillMs, bytesEach } = filledTable();
  const byName = (at: number) => `/${bulkName(at)}/a/b`;
  const byRoute = (at: number) => (bulkRoute(at | 1) as string).replace(":id", String(at));
  const row = (what: string, path: (at: number) => string, among: number) => [
    what,
    ...lookups(functions, path, among),
  ];
  const rows = [
    row("default route, any function", byName, COUNT),
    row("default route, 100 of them", byName, 100),
    row("explicit route, any function", byRoute, COUNT),
    row("explicit route, 100 of them", byRoute, 100),
  ];
  process.stdout.write(`${table(["finding a function", "p50 us", "p99 us"], rows)}\n\n`);
  const heap = `${short(bytesEach)} bytes of heap each, filled in ${short(fillMs)} ms`;
  process.stdout.write(`the gateway's table: ${heap}\n\n`);
}

async function msOf(times: number, work: (at: number) => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  for (let at = 0; at < times; at += 1) {
    const startedAt = performance.now();
    await work(at);
    took.push(performance.now() - startedAt);
  }
  return took;
}

async function measureServer(count: number): Promise<string[]> {
  const server = new TestServer({ ISOLA_BLANK_NODEJS: "1", ISOLA_BLANK_PYTHON: "0" });
  try {
    await bulkFunctions(server.dataDir, count, "nodejs26");
    const startedAt = performance.now();
    await server.start();
    await eventually("readiness", async () => (await server.api("GET", "/readyz")).status === 200);
    const readyMs = performance.now() - startedAt;
    const bytesOf = (role: string) =>
      privateBytesOf({ rootPid: server.pid }, (command) => command.trim().endsWith(role)).bytes /
      1_048_576;
    const memory = [bytesOf("gateway"), bytesOf("control")];
    const list = "/api/v1/functions?limit=50";
    let cursor = "";
    const pages = await msOf(100, async () => {
      const { json } = await server.api("GET", list + cursor);
      cursor = json.nextCursor === null ? "" : `&cursor=${json.nextCursor}`;
    });
    const searches = await msOf(20, (at) => server.api("GET", `${list}&query=none-${at}`));
    const deploys = await msOf(20, (at) =>
      server.deploy(`more-${at}`, { "index.mjs": "" }, { route: { path: `/more/${at}/:id` } }),
    );
    const times = [pages, searches, deploys].flatMap((took) => {
      const { p50, p99 } = distributionOf(took);
      return [`${short(p50)} / ${short(p99)}`];
    });
    return [String(count), short(readyMs), ...memory.map(short), ...times];
  } finally {
    await server.dispose();
  }
}

measureTable();
const heading = [
  ...["functions", "ready ms", "gateway MiB", "control MiB"],
  ...["page of 50, ms p50 / p99", "search without a hit", "deploy with a route"],
];
const rows = [await measureServer(100), await measureServer(COUNT)];
process.stdout.write(`${table(heading, rows)}\n`);
