import { type Insertable, type Kysely, type Selectable, sql } from "kysely";
import type { InvocationRecord } from "../../domain/invocation.ts";
import { IsolaError } from "../../errors.ts";
import { decodeCursor, encodeCursor, toPage } from "../cursor.ts";
import type { InvocationQuery, Page } from "../store.ts";
import type { RecordTables } from "../tables.ts";
import { insertMany } from "./insert-many.ts";
import { assertPageLimit } from "./rows.ts";

type Db = Kysely<RecordTables>;

/** A record whose id is kept already is left out: a batch may come twice. */
export async function insertInvocations(db: Db, records: InvocationRecord[]): Promise<void> {
  await insertMany(records.map(fromRecord), (rows) =>
    db
      .insertInto("invocations")
      .values(rows)
      .onConflict((conflict) => conflict.column("id").doNothing())
      .execute(),
  );
}

export async function selectInvocation(
  db: Db,
  project: string,
  id: string,
): Promise<InvocationRecord> {
  const row = await db
    .selectFrom("invocations")
    .selectAll()
    .where("id", "=", id)
    .where("project", "=", project)
    .executeTakeFirst();
  if (!row) {
    throw new IsolaError(
      "not_found",
      `invocation "${id}" is not in the records of project "${project}": its id is wrong, it has not ended, or it was trimmed`,
    );
  }
  return toRecord(row);
}

/** Newest first; `since` is inclusive, `until` exclusive. */
export async function listInvocations(
  db: Db,
  query: InvocationQuery,
): Promise<Page<InvocationRecord>> {
  assertPageLimit(query.limit);
  const { functionName, outcome, since, until } = query;
  let select = db.selectFrom("invocations").selectAll().where("project", "=", query.project);
  if (functionName !== undefined) select = select.where("function_name", "=", functionName);
  if (outcome !== undefined) select = select.where("outcome", "=", outcome);
  // Said once more as a literal, so that the index of failures is found.
  if (outcome !== undefined && outcome !== "ok")
    select = select.where(sql<boolean>`outcome <> 'ok'`);
  if (since !== undefined) select = select.where("started_at", ">=", since);
  if (until !== undefined) select = select.where("started_at", "<", until);
  if (query.cursor !== undefined) {
    const [at, id] = decodeCursor(query.cursor, "-startedAt", ["number", "string"]);
    select = select.where((eb) => eb(eb.refTuple("started_at", "id"), "<", eb.tuple(at, id)));
  }
  const rows = await select
    .orderBy("started_at", "desc")
    .orderBy("id", "desc")
    .limit(query.limit + 1)
    .execute();
  return toPage(rows.map(toRecord), query.limit, (last) =>
    encodeCursor("-startedAt", [last.startedAt, last.id]),
  );
}

function fromRecord(record: InvocationRecord): Insertable<RecordTables["invocations"]> {
  return {
    id: record.id,
    project: record.project,
    function_name: record.functionName,
    function_id: record.functionId,
    revision: record.revision,
    driver: record.driver,
    runtime: record.runtime,
    start_kind: record.startKind,
    sandbox_id: record.sandboxId,
    outcome: record.outcome,
    error_code: record.errorCode,
    error_message: record.errorMessage,
    status: record.status,
    method: record.method,
    path: record.path,
    started_at: record.startedAt,
    total_ms: record.totalMs,
    queue_ms: record.queueMs,
    start_ms: record.startMs,
    init_ms: record.initMs,
    run_ms: record.runMs,
    request_bytes: record.requestBytes,
    response_bytes: record.responseBytes,
  };
}

function toRecord(row: Selectable<RecordTables["invocations"]>): InvocationRecord {
  return {
    id: row.id,
    project: row.project,
    functionName: row.function_name,
    functionId: row.function_id,
    revision: row.revision,
    driver: row.driver,
    runtime: row.runtime,
    startKind: row.start_kind,
    sandboxId: row.sandbox_id,
    outcome: row.outcome,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    status: row.status,
    method: row.method,
    path: row.path,
    startedAt: row.started_at,
    totalMs: row.total_ms,
    queueMs: row.queue_ms,
    startMs: row.start_ms,
    initMs: row.init_ms,
    runMs: row.run_ms,
    requestBytes: row.request_bytes,
    responseBytes: row.response_bytes,
    killMs: null,
  };
}
