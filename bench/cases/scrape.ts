import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Gauge, Registry } from "prom-client";
import { type Spread, spreadOf } from "../../server/src/comparisons/statistics.ts";
import { MetricsExport } from "../../server/src/control/metrics-export.ts";
import { systemClock } from "../../server/src/domain/clock.ts";
import { idSource } from "../../server/src/domain/ids.ts";
import { ChunkWriter } from "../../server/src/records/chunk-writer.ts";
import { cpuMicrosBetween, cpuSnapshotOf } from "../cpu.ts";
import type { IsolaServer } from "../peers/isola.ts";
import { recordAt } from "../records/load.ts";

export interface ScrapeRow {
  subject: string;
  series: number;
  bytes: number;
  /** From the request to the end of the answer. */
  millis: Spread;
}

export interface ScrapedGateway {
  idleMsPerSecond: number;
  scrapedMsPerSecond: number;
  scrapesPerSecond: number;
}

const SERIES = 10_000;
const FUNCTIONS_MAX = 1000;
const WARM_UP = 3;
const WINDOW_MS = 2000;
const newId = idSource("inv");

/** In turns: what Isola tells when it has 10,000 series, and the same series told by prom-client. */
export async function measureScrapes(rounds: number): Promise<ScrapeRow[]> {
  const exported = exportWithSeries();
  const text = exported.text();
  const own = await serve(async () => exported.text());
  const peer = await serve(filledRegistry(text));
  const millis = { own: [] as number[], peer: [] as number[] };
  try {
    for (let round = 0; round < WARM_UP + rounds; round += 1) {
      const [ownMs, peerMs] = [await scrapeMs(own), await scrapeMs(peer)];
      if (round < WARM_UP) continue;
      millis.own.push(ownMs);
      millis.peer.push(peerMs);
    }
  } finally {
    own.closeAllConnections();
    peer.closeAllConnections();
    own.close();
    peer.close();
  }
  const told = { series: seriesIn(text), bytes: Buffer.byteLength(text) };
  return [
    { subject: "isola", ...told, millis: spreadOf(millis.own) },
    { subject: "prom-client, filled at each scrape", ...told, millis: spreadOf(millis.peer) },
  ];
}

/** The CPU of the process that serves functions, while nobody scrapes and while somebody does without a pause. */
export async function measureScrapedGateway(server: IsolaServer): Promise<ScrapedGateway> {
  const pid = gatewayOf(server.rootPid);
  const idle = cpuSnapshotOf(pid);
  await delay(WINDOW_MS);
  const before = cpuSnapshotOf(pid);
  const startedAt = performance.now();
  let scrapes = 0;
  while (performance.now() - startedAt < WINDOW_MS) {
    await server.scrape();
    scrapes += 1;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const after = cpuSnapshotOf(pid);
  return {
    idleMsPerSecond: cpuMicrosBetween(idle, before) / WINDOW_MS,
    scrapedMsPerSecond: cpuMicrosBetween(before, after) / 1000 / seconds,
    scrapesPerSecond: scrapes / seconds,
  };
}

/** Calls of function after function, some of them first calls, until there are enough series. */
function exportWithSeries(): MetricsExport {
  const gateway = { isConnected: false, request: () => Promise.reject(new Error("not asked")) };
  const exported = new MetricsExport({
    ...{ gateway, clock: systemClock, functionsMax: FUNCTIONS_MAX, version: "bench" },
  });
  const load = { name: "", calls: 0, perSecond: 0, functions: FUNCTIONS_MAX, paths: 1 };
  for (let at = 0; seriesIn(exported.text()) < SERIES && at < FUNCTIONS_MAX; at += 1) {
    const warm = recordAt({ ...load, failures: 0, isKept: true }, at, newId());
    const first = { ...warm, id: newId(), startKind: "cold" as const, startMs: 50, initMs: 20 };
    const failed = { ...warm, id: newId(), outcome: "timeout" as const, killMs: 3 };
    exported.onLive({ ...warm, name: warm.functionName, route: null, driver: "process" });
    const writer = new ChunkWriter(3);
    for (const record of [first, warm, failed]) writer.add(record);
    exported.add({ source: "bench", batch: at + 1, invocations: writer.take(), logs: [] });
  }
  return exported;
}

function seriesIn(text: string): number {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
}

/** prom-client with the series of a text, which are set anew at each scrape, as it is used where the numbers are kept elsewhere. */
function filledRegistry(text: string): () => Promise<string> {
  const registry = new Registry();
  const families = new Map<string, { labels: Record<string, string>; value: number }[]>();
  for (const line of text.split("\n")) {
    const [, name, braced = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || line.startsWith("#")) continue;
    const pairs = [...braced.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]);
    const family = families.get(name) ?? [];
    families.set(name, family);
    family.push({ labels: Object.fromEntries(pairs), value: Number(value) });
  }
  for (const [name, samples] of families) {
    const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))];
    const collect = function (this: Gauge) {
      this.reset();
      for (const { labels, value } of samples) this.set(labels, value);
    };
    new Gauge({ name, help: name, labelNames, registers: [registry], collect });
  }
  return () => registry.metrics();
}

async function serve(text: () => Promise<string>): Promise<Server> {
  const server = createServer((_request, response) => {
    void text().then((told) => response.end(told));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function scrapeMs(server: Server): Promise<number> {
  const startedAt = performance.now();
  const { port } = server.address() as AddressInfo;
  await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return performance.now() - startedAt;
}

function gatewayOf(rootPid: number): number {
  const children = readFileSync(`/proc/${rootPid}/task/${rootPid}/children`, "utf8");
  const isGateway = (pid: string) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes("gateway");
  const pid = children.trim().split(" ").find(isGateway);
  if (pid === undefined) throw new Error("the server has no gateway");
  return Number(pid);
}
