import type { BurstRow } from "./cases/burst.ts";
import type { ColdRow } from "./cases/cold.ts";
import type { DeadlineRow } from "./cases/deadline.ts";
import type { DeployRow } from "./cases/deploy.ts";
import type { MemoryRow } from "./cases/memory.ts";
import type { RouteRow } from "./cases/routes.ts";
import type { ScrapeRow, ScrapedGateway } from "./cases/scrape.ts";
import type { WarmRow } from "./cases/warm.ts";
import type { Machine } from "./machine.ts";
import { short, table } from "./table.ts";

/** Everything that one run measured; the JSON of `bench/results/`. */
export interface Results {
  startedAt: string;
  kind: "quick" | "full";
  tookSeconds: number;
  machine: Machine;
  warm: WarmRow[];
  cold: ColdRow[];
  memory: MemoryRow[];
  deploy: DeployRow[];
  deadlines: DeadlineRow[];
  routes: RouteRow[];
  bursts: BurstRow[];
  scrapes: ScrapeRow[];
  scrapedGateway: ScrapedGateway | null;
  /** What was not measured, and why. */
  leftOut: string[];
}

export function reportText(results: Results): string {
  const { machine } = results;
  const load = machine.loadBefore.toFixed(1);
  const sections = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}; load before ${load}`,
    ...payloadNames(results.warm).flatMap((name) => warmText(results.warm, name)),
    ...coldText(results.cold),
    ...memoryText(results.memory),
    ...deployText(results.deploy),
    ...deadlineText(results.deadlines),
    ...routesText(results.routes),
    ...burstText(results.bursts),
    ...scrapeText(results),
    ...results.leftOut.map((line) => `Left out: ${line}`),
    `${results.kind} run, ${results.tookSeconds.toFixed(0)} s`,
  ];
  return `${sections.join("\n\n")}\n`;
}

function payloadNames(rows: WarmRow[]): string[] {
  return [...new Set(rows.map((row) => row.payload))];
}

function warmText(rows: WarmRow[], payload: string): string[] {
  const own = rows.filter((row) => row.payload === payload);
  const isola = own.filter((row) => row.subject.startsWith("isola"));
  const peers = own.filter((row) => !row.subject.startsWith("isola"));
  const ratios = isola.map((row) =>
    [row.subject].concat(peers.map((peer) => ratioText(row, peer))),
  );
  const texts =
    ratios.length === 0
      ? []
      : [
          `Calls per CPU second, payload ${payload}: how many times as many as (by medians / by minima)\n${table(
            ["", ...peers.map((peer) => peer.subject)],
            ratios,
          )}`,
        ];
  return [...texts, warmFigures(own, payload)];
}

/** Above 1: `row` takes less CPU than `peer`. */
export function ratioText(row: WarmRow, peer: WarmRow): string {
  const byMedian = peer.cpuMicros.median / row.cpuMicros.median;
  const byMin = peer.cpuMicros.min / row.cpuMicros.min;
  return `${short(byMedian)} / ${short(byMin)}`;
}

function warmFigures(rows: WarmRow[], payload: string): string {
  const lines = rows.map((row) => [
    row.subject,
    row.isolation,
    `${short(row.cpuMicros.min)} / ${short(row.cpuMicros.median)}`,
    `${Math.round(row.requestsPerSecond.median)}`,
    `${short(row.addedP50Micros.min)} / ${short(row.addedP50Micros.median)}`,
    `${short(row.addedP99Micros.min)} / ${short(row.addedP99Micros.median)}`,
  ]);
  const heading = ["", "isolation", "CPU us/call", "calls/s", "added p50 us", "added p99 us"];
  return `Warm, payload ${payload}; CPU of all processes and calls/s at 32 connections, latency at 1 over the first row (min / median)\n${table(heading, lines)}`;
}

function coldText(rows: ColdRow[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map((row) => [
    row.name,
    row.reference === null ? "" : short(row.reference / row.millis.p50),
    ...[row.millis.min, row.millis.p50, row.millis.p99].map(short),
    String(row.millis.count),
    row.startKinds,
  ]);
  const heading = [
    "",
    "x faster than spawn or container",
    "min ms",
    "p50 ms",
    "p99 ms",
    "n",
    "start kinds",
  ];
  return [`First call of a new function\n${table(heading, lines)}`];
}

function memoryText(rows: MemoryRow[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map((row) => [
    row.name,
    short(row.bytesPerSandbox / 2 ** 20),
    short(row.chargedPerSandbox / 2 ** 20),
    short(row.processesPerSandbox),
    String(row.sandboxes),
  ]);
  const heading = ["", "private MiB each", "charged MiB each", "processes each", "sandboxes"];
  return [`Memory of an idle sandbox, by the growth of all of them\n${table(heading, lines)}`];
}

function deployText(rows: DeployRow[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map((row) => [
    row.name,
    ...[row.millis.min, row.millis.p50, row.millis.p99].map(short),
    String(row.millis.count),
    `${row.failedCalls} of ${row.calls}`,
  ]);
  const heading = ["", "min ms", "p50 ms", "p99 ms", "n", "failed calls meanwhile"];
  return [
    `Deploy of inline code until the first answer of the new revision\n${table(heading, lines)}`,
  ];
}

function deadlineText(rows: DeadlineRow[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.flatMap(({ name, answered, dead }) =>
    Object.entries({ answered, dead }).map(([what, spread]) => [
      `${name}: ${what}`,
      ...[spread.min, spread.p50, spread.p99, spread.max].map(short),
      String(spread.count),
    ]),
  );
  const heading = ["", "min ms", "p50 ms", "p99 ms", "max ms", "n"];
  return [
    `From the deadline of a function that spins on every thread, under load\n${table(heading, lines)}`,
  ];
}

function routesText(rows: RouteRow[]): string[] {
  if (rows.length === 0) return [];
  const [first] = rows;
  const lines = rows.map((row) => [
    String(row.functions),
    short(row.cpuMicros.median / (first as RouteRow).cpuMicros.median),
    `${short(row.cpuMicros.min)} / ${short(row.cpuMicros.median)}`,
    `${short(row.p50Micros.min)} / ${short(row.p50Micros.median)}`,
    short(row.bytesPerFunction / 1024),
  ]);
  const heading = ["functions", "x CPU of 1", "CPU us/call", "p50 us", "KiB each"];
  return [`Warm call with so many functions deployed (min / median)\n${table(heading, lines)}`];
}

function burstText(rows: BurstRow[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map((row) => [
    row.name,
    ...[row.millis.p50, row.millis.p99].map(short),
    String(row.failedCalls),
    `${row.sandboxes} of ${row.sandboxesMax}`,
  ]);
  const heading = ["", "p50 ms", "p99 ms", "failed calls", "sandboxes"];
  return [`Many calls at once, from the first request to each answer\n${table(heading, lines)}`];
}

function scrapeText({ scrapes, scrapedGateway: gateway }: Results): string[] {
  if (scrapes.length === 0) return [];
  const [own] = scrapes as [ScrapeRow];
  const lines = scrapes.map((row) => [
    row.subject,
    short(row.millis.median / own.millis.median),
    `${short(row.millis.min)} / ${short(row.millis.median)}`,
    String(row.series),
    short(row.bytes / 1024),
  ]);
  const heading = ["", "x Isola", "ms", "series", "KiB"];
  const text = `A scrape of /metrics, from the request to the end of the answer (min / median)\n${table(heading, lines)}`;
  if (gateway === null) return [text];
  const cpu = `The gateway's CPU, ms in a second: ${short(gateway.idleMsPerSecond)} idle, ${short(gateway.scrapedMsPerSecond)} at ${short(gateway.scrapesPerSecond)} scrapes/s`;
  return [`${text}\n${cpu}`];
}
