import { setImmediate } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import type { InvocationRecord } from "../../domain/invocation.ts";
import { ANY } from "../../records/chunk-slices.ts";
import { InvocationChunk } from "../../records/invocation-chunk.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Page } from "../page.ts";
import type { InvocationQuery } from "../store.ts";
import type { RecordTables } from "../tables.ts";
import {
  FoundInvocations,
  type ListCursor,
  type SliceOf,
  type SlicePlace,
} from "./found-invocations.ts";
import { assertPageLimit } from "./rows.ts";

type Db = Kysely<RecordTables>;

const ORDER = "-startedAt";
/** Slices read between two turns of the event loop; a list mostly ends within the first few. */
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
  const lists = await listsOf(db, query);
  const looked = new Set<string>();
  let place: SlicePlace | null = cursor?.place ?? null;
  for (let wanted = CHUNKS_FIRST; ; wanted = Math.min(CHUNKS_MOST, wanted * 2)) {
    const from = { cursor, place, wanted: wanted + 1, looked };
    const slices = await slicesFrom(db, query, lists, from);
    const chunks = await chunksOf(db, slices.slice(0, wanted));
    for (const slice of slices.slice(0, wanted)) {
      if (found.isCompleteBefore(slice.last_at)) return found.page(cursorOf);
      looked.add(keyOf(slice));
      const chunk = chunks.get(slice.chunk);
      // Trimmed between the two questions, as it might have been before the first.
      if (chunk === undefined) continue;
      found.look(chunk, { at: slice.last_at, chunk: slice.chunk }, slice);
    }
    const next = slices[wanted];
    if (next === undefined || found.isCompleteBefore(next.last_at)) return found.page(cursorOf);
    place = { at: next.last_at, chunk: next.chunk };
    await setImmediate();
  }
}

/** Every list of slices in which a part of what is asked for stands in order of time; each record is in one of them. */
async function listsOf(db: Db, { project, outcomes }: InvocationQuery): Promise<SliceOf[]> {
  const projects = project === null ? await projectsIn(db) : [project];
  const wanted = outcomes === undefined ? [ANY] : [...new Set(outcomes)];
  return projects.flatMap((one) => wanted.map((outcome) => ({ project: one, outcome })));
}

/** From one to the next along the index, however many slices each has. */
async function projectsIn(db: Db): Promise<string[]> {
  const { rows } = await sql<{ project: string | null }>`
    with recursive known(project) as (
      select min(project) from invocation_slices
      union all
      select (select min(s.project) from invocation_slices s where s.project > known.project)
      from known where known.project is not null
    ) select project from known`.execute(db);
  return rows.flatMap(({ project }) => (project === null ? [] : [project]));
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

interface Slice extends SliceOf {
  chunk: number;
  last_at: number;
}

function keyOf({ chunk, project, outcome }: Slice): string {
  return `${chunk} ${project} ${outcome}`;
}

interface From {
  cursor: ListCursor | null;
  place: SlicePlace | null;
  wanted: number;
  looked: ReadonlySet<string>;
}

/** Those that may hold what is asked for and were not looked at yet, from `place` on, of all lists together. */
async function slicesFrom(
  db: Db,
  query: InvocationQuery,
  lists: readonly SliceOf[],
  from: From,
): Promise<Slice[]> {
  const all: Slice[] = [];
  for (const list of lists)
    for (const slice of await slicesOfList(db, query, list, from))
      if (!from.looked.has(keyOf(slice))) all.push(slice);
  all.sort((a, b) => b.last_at - a.last_at || b.chunk - a.chunk);
  return all.slice(0, from.wanted);
}

/** At the place itself, one of a list may have been looked at. */
async function slicesOfList(
  db: Db,
  { functionName, since, until }: InvocationQuery,
  { project, outcome }: SliceOf,
  { cursor, place, wanted }: From,
): Promise<Slice[]> {
  let select = db
    .selectFrom("invocation_slices as slice")
    .select(["slice.chunk", "slice.last_at", "slice.project", "slice.outcome"])
    .where("slice.project", "=", project)
    .where("slice.function_name", "=", functionName ?? ANY)
    .where("slice.outcome", "=", outcome);
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
    .limit(wanted + 1)
    .execute();
}

async function chunksOf(db: Db, slices: readonly Slice[]): Promise<Map<number, InvocationChunk>> {
  const ids = [...new Set(slices.map(({ chunk }) => chunk))];
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom("invocation_chunks")
    .select(["id", "data"])
    .where("id", "in", ids)
    .execute();
  return new Map(rows.map(({ id, data }) => [Number(id), new InvocationChunk(data)]));
}
