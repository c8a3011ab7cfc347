import type { Kysely } from "kysely";
import type { RecordBatch } from "../../records/record-batch.ts";
import type { StoredRecords } from "../store.ts";
import type { RecordTables } from "../tables.ts";
import { insertEvents } from "./events.ts";
import { minutesOfSamples } from "../../metrics/measured-minutes.ts";
import { addMeasures } from "./add-metrics.ts";
import { insertChunk } from "./invocation-chunks.ts";
import { insertLogs } from "./logs.ts";

type Db = Kysely<RecordTables>;

/**
 * A gateway has eight batches under way and sends the oldest first, so a batch that comes again is among the last few it sent; so many are remembered of each.
 */
const REMEMBERED_BATCHES = 1000;

/** In one transaction. A batch comes again when its acknowledgement was lost; then nothing is stored. */
export async function storeBatch(
  db: Db,
  batch: RecordBatch,
  nowMs: number,
): Promise<StoredRecords> {
  return await db.transaction().execute(async (trx) => {
    if (!(await remember(trx, batch, nowMs))) return { invocations: null, logs: [], events: [] };
    if (batch.invocations !== null) {
      const chunk = await insertChunk(trx, batch.invocations);
      await trx.insertInto("uncounted_chunks").values({ chunk }).execute();
    }
    await addMeasures(trx, minutesOfSamples(batch, nowMs));
    const logs = await insertLogs(trx, batch.logs);
    const events = await insertEvents(trx, batch.events ?? []);
    return { invocations: batch.invocations, logs, events };
  });
}

/** Those of gateways that are long gone. */
export async function forgetBatches(db: Db, before: number): Promise<void> {
  await db.deleteFrom("record_batches").where("stored_at", "<", before).execute();
}

/** False when it is remembered already. */
async function remember(db: Db, { source, batch }: RecordBatch, nowMs: number): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto("record_batches")
    .values({ source, batch, stored_at: nowMs })
    .onConflict((conflict) => conflict.columns(["source", "batch"]).doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 0n) return false;
  if (batch % REMEMBERED_BATCHES === 0)
    await db
      .deleteFrom("record_batches")
      .where("source", "=", source)
      .where("batch", "<=", batch - REMEMBERED_BATCHES)
      .execute();
  return true;
}
