import type { IncomingMessage } from "node:http";
import { CallTraces } from "../../server/src/gateway/call-traces.ts";
import { requestHeaderBlock } from "../../server/src/gateway/headers.ts";
import { idSource } from "../../server/src/domain/ids.ts";
import { ChunkWriter } from "../../server/src/records/chunk-writer.ts";
import { InvocationChunk } from "../../server/src/records/invocation-chunk.ts";
import { otlpSender } from "../../server/src/traces/otlp-sender.ts";
import { type Load, recordAt } from "../records/load.ts";

const ROUNDS = 80;
const CALLS = 8192;
const PER_CHUNK = 4096;
const PER_SEND = 128;
const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const newId = idSource("inv");
const load: Load = {
  ...{ name: "", calls: 0, perSecond: 0, functions: 1, paths: 1, failures: 0, isKept: true },
};

/** CPU microseconds of this process for one call, the least of all rounds: what others do on the machine only adds. */
async function leastMicros(run: (calls: number) => unknown, calls = CALLS): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    await run(calls);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / calls);
  }
  return least;
}

/** A request as the gateway reads it, its headers without or with that of a caller's trace, and the record of its call; without what the record's other fields cost. */
function gatewayPart(traces: CallTraces | null, traceparent?: string) {
  const own = ["Host", "127.0.0.1:8080", "Accept", "*/*", "User-Agent", "bench"];
  const request = {
    rawHeaders: traceparent === undefined ? own : [...own, "Traceparent", traceparent],
    headers: { traceparent },
  } as unknown as IncomingMessage;
  const origin = { address: "127.0.0.1", scheme: "http" } as const;
  const writer = new ChunkWriter(PER_CHUNK);
  const record = { ...recordAt(load, 0, newId()), queueMs: 0 };
  const bytes = Buffer.alloc(4096);
  return (calls: number) => {
    for (let at = 0; at < calls; at += 1) {
      const trace = traces === null ? null : traces.begin(traceparent, undefined);
      bytes.write(requestHeaderBlock(request, trace, origin), 0, "latin1");
      writer.add({ ...record, id: newId(), trace: trace?.place ?? null });
      if (writer.isFull) writer.take();
    }
  };
}

/** What the control plane does for calls that are all sampled: reads them from a chunk, makes their spans, sends them. */
async function controlPart(endpoint: string) {
  const about = { headers: {}, serviceName: "isola", version: "0", nodeId: "bench" };
  const sender = await otlpSender({ endpoint, ...about });
  const traces = new CallTraces(1);
  const writer = new ChunkWriter(PER_CHUNK);
  for (let at = 0; at < PER_CHUNK; at += 1) {
    const trace = traces.begin(undefined, undefined).place;
    writer.add({ ...recordAt(load, at, newId()), queueMs: 0, trace });
  }
  const bytes = writer.take();
  return async (calls: number) => {
    const records = new InvocationChunk(bytes).records();
    for (let at = 0; at < calls; at += PER_SEND)
      await sender.send(records.slice(at, at + PER_SEND));
  };
}

/** Rows of what tracing adds, in the gateway and in the control plane, apart from everything else. */
export async function parts(endpoint: string): Promise<[what: string, micros: number][]> {
  const kinds: [what: string, ratio: number, traceparent?: string][] = [
    ["gateway: begins a trace, ratio 0", 0],
    ["gateway: begins a trace, default ratio", 0.01],
    ["gateway: begins a trace, ratio 1", 1],
    ["gateway: goes on with a caller's, sampled", 0, parent],
    ["gateway: goes on with a caller's, not sampled", 0, `${parent.slice(0, -1)}0`],
  ];
  // So that all are compiled for all of them.
  for (const [, ratio, traceparent] of kinds) {
    gatewayPart(new CallTraces(ratio), traceparent)(CALLS);
    gatewayPart(null, traceparent)(CALLS);
  }
  const rows: [string, number][] = [];
  for (const [what, ratio, traceparent] of kinds) {
    const off = await leastMicros(gatewayPart(null, traceparent));
    const on = await leastMicros(gatewayPart(new CallTraces(ratio), traceparent));
    rows.push([what, on - off]);
  }
  const control = await leastMicros(await controlPart(endpoint), PER_CHUNK);
  return [...rows, ["control plane: each call that is sampled", control]];
}
