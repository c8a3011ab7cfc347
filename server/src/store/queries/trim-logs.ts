import { setImmediate } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import type { RecordTables } from "../tables.ts";
import { LOG_LINE_OVERHEAD_BYTES } from "./log-sizes.ts";
import { addToTotals } from "./logs.ts";

type Db = Kysely<RecordTables>;

/** Lines deleted in one transaction, between two turns of the event loop. */
const STEP_LINES = 1000;

/**
 * Oldest first in the order of arrival, which differs from that of their times by an hour at most: what was written before `before`, then what is above the bounds. Ends with the
 * first line that may stay.
 */
export async function trimLogs(
  db: Db,
  bounds: { linesMax: number; bytesMax: number; before: number },
): Promise<number> {
  let gone = 0;
  for (;;) {
    const dropped = await db.transaction().execute((trx) => dropSome(trx, bounds));
    gone += dropped;
    if (dropped < STEP_LINES) return gone;
    await setImmediate();
  }
}

export async function logTotals(db: Db): Promise<{ lines: number; bytes: number }> {
  const { lines, bytes } = await db.selectFrom("log_totals").selectAll().executeTakeFirstOrThrow();
  return { lines: Number(lines), bytes: Number(bytes) };
}

async function dropSome(
  trx: Db,
  { linesMax, bytesMax, before }: { linesMax: number; bytesMax: number; before: number },
): Promise<number> {
  const totals = await logTotals(trx);
  const oldest = await trx
    .selectFrom("logs")
    .select(["seq", "at", sql<number>`octet_length(text)`.as("bytes")])
    .orderBy("seq")
    .limit(STEP_LINES)
    .execute();
  let lines = 0;
  let bytes = 0;
  for (const row of oldest) {
    const isAbove = totals.lines - lines > linesMax || totals.bytes - bytes > bytesMax;
    if (row.at >= before && !isAbove) break;
    lines += 1;
    bytes += Number(row.bytes) + LOG_LINE_OVERHEAD_BYTES;
  }
  const last = oldest[lines - 1];
  if (last === undefined) return 0;
  await trx.deleteFrom("logs").where("seq", "<=", last.seq).execute();
  await addToTotals(trx, -lines, -bytes);
  return lines;
}
