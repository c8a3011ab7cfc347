import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import type { RecordTables } from "../tables.ts";
import { forgetBatches } from "./record-batches.ts";
import { trimInvocations } from "./trim-invocations.ts";

type Db = Kysely<RecordTables>;

/** Rows deleted in one transaction, between two turns of the event loop. */
const CHUNK_ROWS = 1000;

/** Oldest first: records from before `before`, then as many as are above the bounds. */
export async function trimRecords(
  db: Db,
  bounds: { invocationsMax: number; logsMax: number; before: number },
): Promise<number> {
  const { invocationsMax, logsMax, before } = bounds;
  const invocations = await trimInvocations(db, invocationsMax, before);
  await forgetBatches(db, before);
  const logs = await inChunks((rows) => deleteOldLogs(db, rows, before), Infinity);
  const logsAbove = (await countLogs(db)) - logsMax;
  return invocations + logs + (await inChunks((rows) => deleteOldLogs(db, rows), logsAbove));
}

/** Ends when `rowsMax` rows have gone, or when there is nothing left to delete. */
async function inChunks(
  deleteRows: (rowsMax: number) => Promise<number>,
  rowsMax: number,
): Promise<number> {
  let gone = 0;
  while (gone < rowsMax) {
    const wanted = Math.min(CHUNK_ROWS, rowsMax - gone);
    const deleted = await deleteRows(wanted);
    gone += deleted;
    if (deleted < wanted) break;
    await setImmediate();
  }
  return gone;
}

async function countLogs(db: Db): Promise<number> {
  const { rows } = await db
    .selectFrom("logs")
    .select((eb) => eb.fn.countAll<number>().as("rows"))
    .executeTakeFirstOrThrow();
  return Number(rows);
}

async function deleteOldLogs(db: Db, rowsMax: number, before?: number): Promise<number> {
  const result = await db
    .deleteFrom("logs")
    .where("seq", "in", (eb) =>
      eb
        .selectFrom("logs")
        .select("seq")
        .$if(before !== undefined, (old) => old.where("at", "<", before as number))
        .orderBy("at")
        .orderBy("seq")
        .limit(rowsMax),
    )
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
