import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import type { InvocationRecord } from "../../domain/invocation.ts";
import { ANY } from "../../records/chunk-slices.ts";
import { InvocationChunk } from "../../records/invocation-chunk.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Page } from "../page.ts";
import type { InvocationQuery } from "../store.ts";
import type { RecordTables } from "../tables.ts";
import { FoundInvocations, type ListCursor, type SlicePlace } from "./found-invocations.ts";
import { assertPageLimit } from "./rows.ts";

type Db = Kysely<RecordTables>;

const ORDER = "-startedAt";
/** Chunks read between two turns of the event loop; a list mostly ends within the first few. */
const CHUNKS_FIRST = 4;
const CHUNKS_MOST = 64;

/** Newest first; `since` is inclusive, `until` exclusive. */
export async function listInvocations(
  db: Db,
  query: InvocationQuery,
): Promise<Page<InvocationRecord>> {
  assertPageLimit(query.limit);
  const cursor = query.cursor === undefined ? null : readCursor(query.cursor);
  const found = new FoundInvocations(query, cursor);
  let place: SlicePlace | null = cursor?.place ?? null;
  for (let wanted = CHUNKS_FIRST; ; wanted = Math.min(CHUNKS_MOST, wanted * 2)) {
    const slices = await slicesFrom(db, query, { cursor, place, wanted: wanted + 1 });
    for (const slice of slices.slice(0, wanted)) {
      if (found.isCompleteBefore(slice.last_at)) return found.page(cursorOf);
      found.look(new InvocationChunk(slice.data), { at: slice.last_at, chunk: slice.chunk });
    }
    const next = slices[wanted];
    if (next === undefined || found.isCompleteBefore(next.last_at)) return found.page(cursorOf);
    place = { at: next.last_at, chunk: next.chunk };
    await setImmediate();
  }
}

function readCursor(cursor: string): ListCursor {
  const [at, id, sliceAt, chunk] = decodeCursor(cursor, ORDER, [
    "number",
    "string",
    "number",
    "number",
  ]);
  return { at, id, place: { at: sliceAt, chunk } };
}

function cursorOf({ at, id, place }: ListCursor): string {
  return encodeCursor(ORDER, [at, id, place.at, place.chunk]);
}

/** Those that may hold what is asked for, from `place` on. */
async function slicesFrom(
  db: Db,
  query: InvocationQuery,
  from: { cursor: ListCursor | null; place: SlicePlace | null; wanted: number },
) {
  const { project, functionName, outcome, since, until } = query;
  const { cursor, place } = from;
  let select = db
    .selectFrom("invocation_slices as slice")
    .innerJoin("invocation_chunks as chunk", "chunk.id", "slice.chunk")
    .select(["slice.chunk", "slice.last_at", "chunk.data"])
    .where("slice.project", "=", project)
    .where("slice.function_name", "=", functionName ?? ANY)
    .where("slice.outcome", "=", outcome ?? ANY);
  if (since !== undefined) select = select.where("slice.last_at", ">=", since);
  if (until !== undefined) select = select.where("slice.first_at", "<", until);
  if (cursor !== null) select = select.where("slice.first_at", "<=", cursor.at);
  if (place !== null)
    select = select.where((eb) =>
      eb(eb.refTuple("slice.last_at", "slice.chunk"), "<=", eb.tuple(place.at, place.chunk)),
    );
  return await select
    .orderBy("slice.last_at", "desc")
    .orderBy("slice.chunk", "desc")
    .limit(from.wanted)
    .execute();
}
