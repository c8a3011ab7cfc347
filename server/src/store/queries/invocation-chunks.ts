import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import type { InvocationRecord } from "../../domain/invocation.ts";
import { IsolaError } from "../../errors.ts";
import { type Slice, slicesOf } from "../../records/chunk-slices.ts";
import { InvocationChunk } from "../../records/invocation-chunk.ts";
import type { RecordTables } from "../tables.ts";
import { ManyRows } from "./many-rows.ts";

type Db = Kysely<RecordTables>;

const sliceRows = new ManyRows<RecordTables, RecordTables["invocation_slices"]>(
  ["chunk", "project", "function_name", "outcome", "first_at", "last_at", "records"],
  (db, rows) => db.insertInto("invocation_slices").values(rows),
);

/** Looked into between two turns of the event loop. */
const CHUNKS_AT_ONCE = 8;

/** Returns its number. */
export async function insertChunk(db: Db, data: Uint8Array): Promise<number> {
  const { row, slices } = rowsOf(data);
  const { id } = await db
    .insertInto("invocation_chunks")
    .values(row)
    .returning("id")
    .executeTakeFirstOrThrow();
  await insertSlices(db, id, slices);
  return id;
}

/** The chunk keeps its number, and with it its place in a list that somebody pages through. */
export async function replaceChunk(db: Db, id: number, data: Uint8Array): Promise<void> {
  const { row, slices } = rowsOf(data);
  await db.updateTable("invocation_chunks").set(row).where("id", "=", id).execute();
  await db.deleteFrom("invocation_slices").where("chunk", "=", id).execute();
  await insertSlices(db, id, slices);
}

function rowsOf(data: Uint8Array) {
  const chunk = new InvocationChunk(data);
  const slices = slicesOf(chunk);
  const { first, last } = chunk.idBounds;
  const row = {
    records: chunk.count,
    first_at: slices.reduce((least, { firstAt }) => Math.min(least, firstAt), Infinity),
    last_at: slices.reduce((most, { lastAt }) => Math.max(most, lastAt), -Infinity),
    first_id: first,
    last_id: last,
    data,
  };
  return { row, slices };
}

async function insertSlices(db: Db, chunk: number, slices: Slice[]): Promise<void> {
  await sliceRows.run(
    db,
    slices.map((slice) => fromSlice(chunk, slice)),
  );
}

/** An id tells when it was made; few chunks hold ids of that time. */
export async function selectInvocation(
  db: Db,
  project: string,
  id: string,
): Promise<InvocationRecord> {
  for (let after = { last_id: id, id: -1 }; ; ) {
    const rows = await db
      .selectFrom("invocation_chunks")
      .select(["id", "last_id", "data"])
      .where((eb) => eb(eb.refTuple("last_id", "id"), ">", eb.tuple(after.last_id, after.id)))
      .where("first_id", "<=", id)
      .orderBy("last_id")
      .orderBy("id")
      .limit(CHUNKS_AT_ONCE)
      .execute();
    for (const row of rows) {
      const chunk = new InvocationChunk(row.data);
      const at = chunk.indexOf(id);
      if (at !== -1 && chunk.deploymentAt(at).project === project) return chunk.recordAt(at);
      after = row;
    }
    if (rows.length < CHUNKS_AT_ONCE) throw unknown(project, id);
    await setImmediate();
  }
}

function unknown(project: string, id: string): IsolaError {
  return new IsolaError(
    "not_found",
    `invocation "${id}" is not in the records of project "${project}": its id is wrong, it has not ended, or it was trimmed`,
  );
}

function fromSlice(chunk: number, slice: Slice): RecordTables["invocation_slices"] {
  return {
    chunk,
    project: slice.project,
    function_name: slice.functionName,
    outcome: slice.outcome,
    first_at: slice.firstAt,
    last_at: slice.lastAt,
    records: slice.records,
  };
}
