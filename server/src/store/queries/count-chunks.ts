import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import { minutesOfChunks } from "../../metrics/minutes-of-chunk.ts";
import { InvocationChunk } from "../../records/invocation-chunk.ts";
import type { RecordTables } from "../tables.ts";
import { addInvocations } from "./add-metrics.ts";

type Db = Kysely<RecordTables>;

/** Counted in one transaction, between two turns of the event loop. */
const CHUNKS_AT_ONCE = 32;

/**
 * Adds the records of chunks to the metrics, once: in the transaction that takes the chunks off the list of those that are not counted. Many chunks together write far fewer rows than
 * each for itself would.
 */
export async function countChunks(db: Db): Promise<void> {
  while (await db.transaction().execute(countSome)) await setImmediate();
}

/** True when there are more. */
async function countSome(db: Db): Promise<boolean> {
  const rows = await db
    .selectFrom("uncounted_chunks")
    .innerJoin("invocation_chunks", "invocation_chunks.id", "uncounted_chunks.chunk")
    .select(["uncounted_chunks.chunk", "invocation_chunks.data"])
    .orderBy("uncounted_chunks.chunk")
    .limit(CHUNKS_AT_ONCE)
    .execute();
  if (rows.length === 0) return false;
  await addInvocations(db, minutesOfChunks(rows.map(({ data }) => new InvocationChunk(data))));
  await db
    .deleteFrom("uncounted_chunks")
    .where(
      "chunk",
      "in",
      rows.map(({ chunk }) => chunk),
    )
    .execute();
  return rows.length === CHUNKS_AT_ONCE;
}
