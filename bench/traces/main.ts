import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { spreadOf } from "../../server/src/comparisons/statistics.ts";
import { LoadGenerator } from "../load-generator.ts";
import { helloText } from "../payload.ts";
import { IsolaServer, type DeployOptions } from "../peers/isola.ts";
import { short, table } from "../table.ts";
import { parts } from "./parts.ts";

const { values: asked } = parseArgs({ options: { rounds: { type: "string", default: "7" } } });
const ROUNDS = Number(asked.rounds);
const CONNECTIONS = 32;
const WARMUP_MS = 500;
const MEASURED_MS = 2000;
const styles: DeployOptions[] = [
  { family: "nodejs", style: "lambda" },
  { family: "nodejs", style: "fetch" },
];

interface Subject {
  name: string;
  server: IsolaServer;
  dir: string;
}

/** What tracing costs: the same server without it, and with it at several ratios, in turns; ratios are of one round each. */
async function main(): Promise<void> {
  const collector = fork(join(import.meta.dirname, "collector.ts"));
  const [port] = (await once(collector, "message")) as [number];
  const endpoint = `http://127.0.0.1:${port}`;
  const rowsOfParts = (await parts(endpoint)).map(([what, micros]) => [what, micros.toFixed(3)]);
  process.stdout.write(`${table(["added by tracing", "CPU us/call, least"], rowsOfParts)}\n\n`);
  const on = { ISOLA_TRACES_ENDPOINT: endpoint };
  const kinds: [string, Record<string, string>][] = [
    ["off", {}],
    ["off, again", {}],
    ["ratio 0", { ...on, ISOLA_TRACES_RATIO: "0" }],
    ["default ratio", on],
    ["ratio 1", { ...on, ISOLA_TRACES_RATIO: "1" }],
  ];
  const subjects: Subject[] = [];
  const load = new LoadGenerator();
  try {
    for (const [name, env] of kinds) subjects.push(await start(name, env));
    for (const style of styles) await compare(load, subjects, style);
  } finally {
    await load.close();
    for (const { server, dir } of subjects) {
      await server.close();
      rmSync(dir, { recursive: true, force: true });
    }
    collector.disconnect();
  }
}

async function start(name: string, env: Record<string, string>): Promise<Subject> {
  const dir = mkdtempSync(join(tmpdir(), "isola-bench-traces-"));
  const server = await IsolaServer.start(dir, { blanks: 0, env });
  for (const style of styles) await server.deploy(nameOf(style), style);
  return { name, server, dir };
}

function nameOf({ family, style }: DeployOptions): string {
  return `${family}-${style}`;
}

async function compare(
  load: LoadGenerator,
  subjects: Subject[],
  style: DeployOptions,
): Promise<void> {
  const rounds: Map<string, { perSecond: number; cpu: number }>[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const results = new Map();
    for (const { name, server } of round % 2 === 0 ? subjects : subjects.toReversed())
      results.set(name, await measured(load, server, nameOf(style)));
    rounds.push(results);
  }
  const rows = subjects.map(({ name }) => {
    const ratios = (of: "perSecond" | "cpu") =>
      spreadOf(rounds.map((one) => (one.get(name)?.[of] ?? 0) / (one.get("off")?.[of] ?? 0)));
    const cpu = spreadOf(rounds.map((one) => one.get(name)?.cpu ?? 0));
    const calls = ratios("perSecond");
    const own = ratios("cpu");
    const shown = (ratio: number) => ratio.toFixed(3);
    return [name, shown(calls.median), shown(own.median), shown(own.min), short(cpu.median)];
  });
  process.stdout.write(`${nameOf(style)}, load ${loadavg()[0]?.toFixed(1)}\n`);
  const head = ["tracing", "calls/s : off", "CPU : off", "least", "CPU us/call"];
  process.stdout.write(`${table(head, rows)}\n\n`);
}

async function measured(load: LoadGenerator, server: IsolaServer, name: string) {
  const job = {
    ...{ port: server.gatewayPort, path: `/${name}`, requestBodyBytes: 0 },
    ...{ responseBodyBytes: helloText.length, connections: CONNECTIONS },
    ...{ warmupMs: WARMUP_MS, durationMs: MEASURED_MS },
  };
  const { rootPid, mark, settleMs } = server;
  const result = await load.run(job, { rootPid, mark, settleMs });
  return { perSecond: result.requests / result.seconds, cpu: result.cpuMicros / result.requests };
}

await main();
