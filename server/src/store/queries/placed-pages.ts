import { setImmediate } from "node:timers/promises";
import type { SelectQueryBuilder } from "kysely";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import { assertPageLimit } from "./rows.ts";

/** Rows looked at in one statement, between two turns of the event loop. */
const WINDOW_ROWS = 5000;
/** Rows that one page looks at; a page may then be short or empty and still have a cursor. */
const EXAMINED_ROWS_MAX = 200_000;

/** Where a row stands in time; rows of one moment stand in order of arrival. */
export interface Place {
  at: number;
  seq: number;
}

export interface PlacedQuery {
  newestFirst?: boolean;
  /** Of any page, whatever its direction: what lies behind it in this one. */
  cursor?: string;
  limit: number;
}

/** A page of something that has places. */
export interface PlacedPage<T> {
  items: T[];
  /** For what follows; null at the end. */
  nextCursor: string | null;
  /** For what lies before the first item, read in the other direction; null where there is none. */
  previousCursor: string | null;
}

/** How rows of one table are read; `after` and `upTo` are meant in the direction of the query. */
export interface PlacedSource<Row extends Place> {
  /** The place of the row that is `rows` behind `after`, whatever is asked of it beside its place; null: there are fewer. */
  placeBehind(after: Place | null, rows: number): Promise<Place | null>;
  /** What is asked for, behind `after` (not it), up to `upTo` (it too), at most `rows`. */
  rows(after: Place | null, upTo: Place | null, rows: number): Promise<Row[]>;
  /** What SQL cannot say. */
  isWanted(row: Row): boolean;
  /** Everything there is matches, so that nothing has to be passed over. */
  isWhole: boolean;
}

const ORDER = "place";

/** Reads a page in windows of bounded size, so that no search, however rare what it looks for, holds up the event loop or the page. */
export async function readPlaced<Row extends Place>(
  query: PlacedQuery,
  source: PlacedSource<Row>,
): Promise<PlacedPage<Row>> {
  assertPageLimit(query.limit);
  const items: Row[] = [];
  const start = placeOf(query.cursor);
  let after = start;
  for (let examined = 0; examined < EXAMINED_ROWS_MAX; ) {
    const end = source.isWhole ? null : await source.placeBehind(after, WINDOW_ROWS);
    const wanted = query.limit - items.length + 1;
    const rows = await source.rows(after, end, wanted);
    for (const row of rows) {
      if (items.length === query.limit) return pageOf(items, start, after);
      after = row;
      if (source.isWanted(row)) items.push(row);
    }
    if (rows.length < wanted) {
      if (end === null) return pageOf(items, start, null);
      after = end;
    }
    examined += WINDOW_ROWS;
    await setImmediate();
  }
  return pageOf(items, start, after);
}

type AnyPlaced = SelectQueryBuilder<{ placed: Place }, "placed", Record<never, never>>;

/** In the order of a query, what lies behind `after` (not it), up to `upTo` (it too). The table has to have the columns of a place. */
export function inOrder<Select>(
  all: Select,
  { newestFirst = false }: PlacedQuery,
  { after, upTo = null }: { after: Place | null; upTo?: Place | null },
): Select {
  let select = all as AnyPlaced;
  if (after !== null)
    select = select.where((eb) =>
      eb(eb.refTuple("at", "seq"), newestFirst ? "<" : ">", eb.tuple(after.at, after.seq)),
    );
  if (upTo !== null)
    select = select.where((eb) =>
      eb(eb.refTuple("at", "seq"), newestFirst ? ">=" : "<=", eb.tuple(upTo.at, upTo.seq)),
    );
  const direction = newestFirst ? "desc" : "asc";
  return select.orderBy("at", direction).orderBy("seq", direction) as Select;
}

function pageOf<Row extends Place>(
  items: Row[],
  start: Place | null,
  next: Place | null,
): PlacedPage<Row> {
  const first = items[0] ?? start;
  return {
    items,
    nextCursor: next === null ? null : cursorOf(next),
    previousCursor: first === null ? null : cursorOf(first),
  };
}

function cursorOf({ at, seq }: Place): string {
  return encodeCursor(ORDER, [at, seq]);
}

function placeOf(cursor: string | undefined): Place | null {
  if (cursor === undefined) return null;
  const [at, seq] = decodeCursor(cursor, ORDER, ["number", "number"]);
  return { at, seq };
}
