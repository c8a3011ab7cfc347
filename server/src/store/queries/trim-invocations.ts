import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import { chunkOf } from "../../records/chunk-writer.ts";
import { InvocationChunk } from "../../records/invocation-chunk.ts";
import type { RecordTables } from "../tables.ts";
import { replaceChunk } from "./invocation-chunks.ts";

type Db = Kysely<RecordTables>;

/** Deleted in one transaction, between two turns of the event loop. */
const CHUNKS_AT_ONCE = 50;

/** Returns how many went. */
export async function trimInvocations(
  db: Db,
  invocationsMax: number,
  before: number,
): Promise<number> {
  const tooOld = await deleteOldest(db, { before, recordsMax: Infinity });
  const above = (await countInvocations(db)) - invocationsMax;
  if (above <= 0) return tooOld;
  const tooMuch = await deleteOldest(db, { before: Infinity, recordsMax: above });
  const rest = above - tooMuch;
  if (rest > 0) await cutOldest(db, rest);
  return tooOld + above;
}

async function countInvocations(db: Db): Promise<number> {
  const { records } = await db
    .selectFrom("invocation_chunks")
    .select((eb) => eb.fn.sum<number>("records").as("records"))
    .executeTakeFirstOrThrow();
  return Number(records);
}

/** Whole chunks from before `before`, as long as no more than `recordsMax` records go; says how many went. */
async function deleteOldest(
  db: Db,
  bounds: { before: number; recordsMax: number },
): Promise<number> {
  let gone = 0;
  for (;;) {
    const oldest = await oldestChunks(db, bounds.before);
    const ids: number[] = [];
    for (const { id, records } of oldest) {
      if (gone + records > bounds.recordsMax) break;
      gone += records;
      ids.push(id);
    }
    if (ids.length > 0) await db.deleteFrom("invocation_chunks").where("id", "in", ids).execute();
    if (ids.length < CHUNKS_AT_ONCE) return gone;
    await setImmediate();
  }
}

async function oldestChunks(db: Db, before: number) {
  return await db
    .selectFrom("invocation_chunks")
    .select(["id", "records"])
    .$if(before !== Infinity, (old) => old.where("last_at", "<", before))
    .orderBy("last_at")
    .orderBy("id")
    .limit(CHUNKS_AT_ONCE)
    .execute();
}

/** Takes the oldest records out of the oldest chunk, which has more than these. */
async function cutOldest(db: Db, records: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const { id, data } = await trx
      .selectFrom("invocation_chunks")
      .select(["id", "data"])
      .orderBy("last_at")
      .orderBy("id")
      .limit(1)
      .executeTakeFirstOrThrow();
    const kept = new InvocationChunk(data)
      .records()
      .toSorted((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1))
      .slice(records);
    await replaceChunk(trx, id, chunkOf(kept));
  });
}
