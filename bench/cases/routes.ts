import type { LoadGenerator } from "../load-generator.ts";
import { helloText } from "../payload.ts";
import { privateBytesOf } from "../memory.ts";
import type { IsolaServer } from "../peers/isola.ts";
import { type Spread, spreadOf } from "../../server/src/comparisons/statistics.ts";

export interface RouteRow {
  functions: number;
  cpuMicros: Spread;
  p50Micros: Spread;
  /** Growth of the server's own processes since there was one function. */
  bytesPerFunction: number;
}

const deployedAtOnce = 8;
const rounds = 3;

/** Calls one and the same function while more and more others are deployed. The server must be fresh. */
export async function measureRoutes(
  load: LoadGenerator,
  server: IsolaServer,
  counts: readonly number[],
): Promise<RouteRow[]> {
  const rows: RouteRow[] = [];
  await server.deploy("route-0", { family: "nodejs", settings: { concurrency: 32 } });
  let deployed = 1;
  let bytesOfOne = 0;
  for (const count of counts) {
    await deployTo(server, deployed, count);
    deployed = count;
    const row = await measureCount(load, server);
    const bytes = ownBytes(server);
    if (bytesOfOne === 0) bytesOfOne = bytes;
    const bytesPerFunction = count > 1 ? (bytes - bytesOfOne) / (count - 1) : Number.NaN;
    rows.push({ functions: count, ...row, bytesPerFunction });
  }
  return rows;
}

async function deployTo(server: IsolaServer, from: number, to: number): Promise<void> {
  let next = from;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < to; i = next++) {
      const route = { methods: ["GET" as const], path: `/tenants/t${i}/items/:id` };
      await server.deploy(`route-${i}`, { family: "nodejs", settings: { route } });
    }
  };
  await Promise.all(Array.from({ length: deployedAtOnce }, worker));
}

async function measureCount(load: LoadGenerator, server: IsolaServer) {
  const job = {
    port: server.gatewayPort,
    path: "/route-0",
    requestBodyBytes: 0,
    responseBodyBytes: helloText.length,
    warmupMs: 500,
    durationMs: 1500,
  };
  const cpu: number[] = [];
  const p50: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const measured = { rootPid: server.rootPid, settleMs: server.settleMs };
    const many = await load.run({ ...job, connections: 32 }, measured);
    const one = await load.run({ ...job, connections: 1 }, { ...measured, settleMs: 0 });
    cpu.push(many.cpuMicros / many.requests);
    p50.push(one.latencyMicros.p50);
  }
  return { cpuMicros: spreadOf(cpu), p50Micros: spreadOf(p50) };
}

function ownBytes(server: IsolaServer): number {
  return privateBytesOf({ rootPid: server.rootPid }, (command) => command.includes(server.entry))
    .bytes;
}
