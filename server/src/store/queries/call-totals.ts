import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import { ANY } from "../../records/chunk-slices.ts";
import { InvocationChunk } from "../../records/invocation-chunk.ts";
import type { CallTotals, CallTotalsQuery } from "../comparison-store.ts";
import type { RecordTables } from "../tables.ts";

type Db = Kysely<RecordTables>;

/** Chunks read between two turns of the event loop. */
const CHUNKS_AT_ONCE = 16;

/** Reads every record of the time asked for; the records that are kept bound it. */
export async function callTotals(db: Db, query: CallTotalsQuery): Promise<CallTotals[]> {
  const totals = new Map<string, CallTotals>();
  for (let after = -1; ; ) {
    const rows = await chunksAfter(db, query, after);
    for (const { data, chunk } of rows) {
      add(totals, new InvocationChunk(data), query);
      after = chunk;
    }
    if (rows.length < CHUNKS_AT_ONCE) return [...totals.values()];
    await setImmediate();
  }
}

async function chunksAfter(db: Db, query: CallTotalsQuery, after: number) {
  const { project, functionName, since, until } = query;
  return await db
    .selectFrom("invocation_slices as slice")
    .innerJoin("invocation_chunks as chunk", "chunk.id", "slice.chunk")
    .select(["slice.chunk", "chunk.data"])
    .where("slice.project", "=", project)
    .where("slice.function_name", "=", functionName ?? ANY)
    .where("slice.outcome", "=", ANY)
    .where("slice.last_at", ">=", since)
    .where("slice.first_at", "<", until)
    .where("slice.chunk", ">", after)
    .orderBy("slice.chunk")
    .limit(CHUNKS_AT_ONCE)
    .execute();
}

function add(
  totals: Map<string, CallTotals>,
  chunk: InvocationChunk,
  { project, functionName, since, until }: CallTotalsQuery,
): void {
  for (let at = 0; at < chunk.count; at += 1) {
    const startedAt = chunk.startedAt(at);
    if (startedAt < since || startedAt >= until) continue;
    const deployment = chunk.deploymentAt(at);
    if (deployment.project !== project) continue;
    if (functionName !== undefined && deployment.functionName !== functionName) continue;
    const { startMs, initMs, runMs } = chunk.timesAt(at);
    if (startMs + initMs + runMs === 0) continue; // it never reached a sandbox
    const total = totalOf(totals, deployment);
    total.calls += 1;
    total.busyMs += startMs + initMs + runMs;
    total.billedMs += Math.ceil(initMs + runMs);
  }
}

function totalOf(
  totals: Map<string, CallTotals>,
  { functionName, functionId, revision, driver }: Omit<CallTotals, "calls" | "busyMs" | "billedMs">,
): CallTotals {
  const key = JSON.stringify([functionId, functionName, revision, driver]);
  const known = totals.get(key);
  if (known !== undefined) return known;
  const total = { functionName, functionId, revision, driver, calls: 0, busyMs: 0, billedMs: 0 };
  totals.set(key, total);
  return total;
}
