import type { Insertable, Kysely, Selectable, SelectQueryBuilder } from "kysely";
import type { LogRecord } from "../../domain/invocation.ts";
import type { LogFilter, LogQuery, StoredLog } from "../store.ts";
import type { RecordTables } from "../tables.ts";
import { insertMany } from "./insert-many.ts";
import { LOG_LINE_OVERHEAD_BYTES } from "./log-sizes.ts";
import { type PlacedPage, inOrder, readPlaced } from "./placed-pages.ts";
import { mayContain, hasText } from "./text-search.ts";

type Db = Kysely<RecordTables>;

/** Lines that come with an invocation; the rest through `listLogs`. */
const INVOCATION_LINES_MAX = 10_000;

/** In order of arrival, with the numbers they got. */
export async function insertLogs(db: Db, records: LogRecord[]): Promise<StoredLog[]> {
  if (records.length === 0) return [];
  const numbers: number[] = [];
  await insertMany(records.map(fromRecord), async (rows) => {
    const made = await db.insertInto("logs").values(rows).returning("seq").execute();
    numbers.push(...made.map(({ seq }) => Number(seq)));
  });
  const bytes = records.reduce((sum, { text }) => sum + bytesOf(text), 0);
  await addToTotals(db, records.length, bytes);
  numbers.sort((a, b) => a - b);
  return records.map((record, at) => ({ ...record, seq: numbers[at] as number }));
}

/** Both may be negative. */
export async function addToTotals(db: Db, lines: number, bytes: number): Promise<void> {
  await db
    .updateTable("log_totals")
    .set((eb) => ({ lines: eb("lines", "+", lines), bytes: eb("bytes", "+", bytes) }))
    .execute();
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

/** In order of time, lines of one moment in order of arrival. */
export async function listLogs(db: Db, query: LogQuery): Promise<PlacedPage<StoredLog>> {
  const { text } = query;
  const page = await readPlaced(query, {
    placeBehind: async (after, rows) => {
      const select = inOrder(indexed(db.selectFrom("logs"), query), query, { after });
      const behind = select
        .select(["at", "seq"])
        .offset(rows - 1)
        .limit(1);
      return (await behind.executeTakeFirst()) ?? null;
    },
    rows: (after, upTo, rows) => {
      const select = inOrder(matching(db.selectFrom("logs"), query), query, { after, upTo });
      return select.selectAll().limit(rows).execute();
    },
    isWanted: (row) => text === undefined || hasText(row.text, text),
    isWhole: isWhole(query),
  });
  return { ...page, items: page.items.map(toLine) };
}

/** What arrived after the line with the number `seq`, in order of arrival; of so many lines before the last one at most. */
export async function logsBehind(
  db: Db,
  filter: LogFilter,
  { seq, linesMax }: { seq: number; linesMax: number },
): Promise<{ items: StoredLog[]; last: number; passedOver: number }> {
  const newest = await db
    .selectFrom("logs")
    .select((eb) => eb.fn.max("seq").as("seq"))
    .executeTakeFirst();
  const last = Math.max(seq, Number(newest?.seq ?? 0));
  const from = Math.max(seq, last - linesMax);
  // The lines first and what is asked of them then, so that no index leads through all there are.
  const recent = db.selectFrom(
    db
      .selectFrom("logs")
      .selectAll()
      .where("seq", ">", from)
      .where("seq", "<=", last)
      .orderBy("seq")
      .limit(linesMax)
      .as("logs"),
  );
  const rows = await matching(recent, filter).selectAll().orderBy("seq").execute();
  const { text } = filter;
  const items = rows.filter((row) => text === undefined || hasText(row.text, text)).map(toLine);
  return { items, last, passedOver: from - seq };
}

type Select = SelectQueryBuilder<Pick<RecordTables, "logs">, "logs", Record<never, never>>;

/** What an index finds. */
function indexed(all: Select, query: LogFilter): Select {
  let select = all.where("project", "=", query.project);
  if (query.functionName !== undefined)
    select = select.where("function_name", "=", query.functionName);
  if (query.invocationId !== undefined)
    select = select.where("invocation_id", "=", query.invocationId);
  if (query.since !== undefined) select = select.where("at", ">=", query.since);
  if (query.until !== undefined) select = select.where("at", "<", query.until);
  return select;
}

function matching(all: Select, query: LogFilter): Select {
  const { levels, stream, sandboxId, text } = query;
  let select = indexed(all, query);
  if (levels !== undefined) select = select.where("level", "in", levels);
  if (stream !== undefined) select = select.where("stream", "=", stream);
  if (sandboxId !== undefined) select = select.where("sandbox_id", "=", sandboxId);
  if (text !== undefined && text !== "") select = select.where(mayContain("text", text));
  return select;
}

function isWhole({ levels, stream, sandboxId, text }: LogFilter): boolean {
  const isAnyText = text === undefined || text === "";
  return levels === undefined && stream === undefined && sandboxId === undefined && isAnyText;
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

/** As `octet_length` counts it. */
function bytesOf(text: string): number {
  return Buffer.byteLength(text) + LOG_LINE_OVERHEAD_BYTES;
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

function toLine(row: Selectable<RecordTables["logs"]>): StoredLog {
  return { ...toRecord(row), seq: Number(row.seq) };
}
