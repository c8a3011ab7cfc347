import { setImmediate } from "node:timers/promises";
import type { Insertable, Kysely, Selectable } from "kysely";
import type { LogRecord } from "../../domain/invocation.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { LogQuery, Page } from "../store.ts";
import type { RecordTables } from "../tables.ts";
import { insertMany } from "./insert-many.ts";
import { assertPageLimit } from "./rows.ts";

type Db = Kysely<RecordTables>;
type LogLine = LogRecord & { seq: number };

/** Lines read between two turns of the event loop. */
const CHUNK_ROWS = 1000;
/** Lines that one page with `contains` looks at; a page may then be short or empty and still have a cursor. */
const EXAMINED_LINES_MAX = 20_000;
/** Lines that come with an invocation; the rest through `listLogs`. */
const INVOCATION_LINES_MAX = 10_000;

export async function insertLogs(db: Db, records: LogRecord[]): Promise<void> {
  await insertMany(records.map(fromRecord), (rows) => db.insertInto("logs").values(rows).execute());
}

/** Oldest first. */
export async function logsOfInvocation(
  db: Db,
  project: string,
  invocationId: string,
): Promise<LogRecord[]> {
  const rows = await db
    .selectFrom("logs")
    .selectAll()
    .where("invocation_id", "=", invocationId)
    .where("project", "=", project)
    .orderBy("at")
    .orderBy("seq")
    .limit(INVOCATION_LINES_MAX)
    .execute();
  return rows.map(toRecord);
}

/** In order of time, lines of one moment in order of arrival; `since` is inclusive. */
export async function listLogs(db: Db, query: LogQuery): Promise<Page<LogLine>> {
  assertPageLimit(query.limit);
  const items: LogLine[] = [];
  let cursor = query.cursor;
  for (let examined = 0; ; ) {
    const wanted = query.contains ? CHUNK_ROWS : query.limit + 1;
    const rows = await linesAfter(db, query, cursor, wanted);
    for (const row of rows) {
      if (items.length === query.limit) return { items, nextCursor: cursor ?? null };
      cursor = encodeCursor(orderOf(query), [row.at, row.seq]);
      if (!query.contains || row.text.includes(query.contains)) items.push(toLine(row));
    }
    examined += rows.length;
    if (rows.length < wanted) return { items, nextCursor: null };
    if (examined >= EXAMINED_LINES_MAX) return { items, nextCursor: cursor ?? null };
    await setImmediate();
  }
}

async function linesAfter(db: Db, query: LogQuery, cursor: string | undefined, rows: number) {
  let select = db
    .selectFrom("logs")
    .selectAll()
    .where("project", "=", query.project)
    .where("function_name", "=", query.functionName);
  const { invocationId, since } = query;
  if (invocationId !== undefined) select = select.where("invocation_id", "=", invocationId);
  if (since !== undefined) select = select.where("at", ">=", since);
  if (cursor !== undefined) {
    const [at, seq] = decodeCursor(cursor, orderOf(query), ["number", "number"]);
    const isAfter = query.newestFirst ? "<" : ">";
    select = select.where((eb) => eb(eb.refTuple("at", "seq"), isAfter, eb.tuple(at, seq)));
  }
  const direction = query.newestFirst ? "desc" : "asc";
  return await select.orderBy("at", direction).orderBy("seq", direction).limit(rows).execute();
}

function orderOf(query: LogQuery): string {
  return query.newestFirst ? "-at" : "at";
}

function fromRecord(record: LogRecord): Insertable<RecordTables["logs"]> {
  return {
    project: record.project,
    function_name: record.functionName,
    function_id: record.functionId,
    revision: record.revision,
    invocation_id: record.invocationId,
    sandbox_id: record.sandboxId,
    at: record.at,
    stream: record.stream,
    level: record.level,
    text: record.text,
    truncated: record.truncated ? 1 : 0,
  };
}

function toRecord(row: Selectable<RecordTables["logs"]>): LogRecord {
  return {
    project: row.project,
    functionName: row.function_name,
    functionId: row.function_id,
    revision: row.revision,
    invocationId: row.invocation_id,
    sandboxId: row.sandbox_id,
    at: row.at,
    stream: row.stream,
    level: row.level,
    text: row.text,
    truncated: row.truncated === 1,
  };
}

function toLine(row: Selectable<RecordTables["logs"]>): LogLine {
  return { ...toRecord(row), seq: row.seq };
}
