import type { Kysely, Selectable } from "kysely";
import { IsolaError } from "../../errors.ts";
import { decodeCursor, encodeCursor, toPage } from "../cursor.ts";
import type { ComparisonEnd, ComparisonQuery, ComparisonRow } from "../comparison-store.ts";
import type { Page } from "../page.ts";
import type { DeploymentTables } from "../tables.ts";
import { assertPageLimit } from "./rows.ts";

type Db = Kysely<DeploymentTables>;
type Kept = Selectable<DeploymentTables["comparisons"]>;

/** Those of a project that are kept; older ones go as new ones begin. */
const COMPARISONS_KEPT_MAX = 200;

export async function addComparison(db: Db, row: ComparisonRow): Promise<void> {
  await db.insertInto("comparisons").values(fromRow(row)).execute();
  await db
    .deleteFrom("comparisons")
    .where("id", "in", (eb) =>
      eb
        .selectFrom("comparisons")
        .select("id")
        .where("project", "=", row.project)
        .where("state", "!=", "running")
        .orderBy("started_at", "desc")
        .orderBy("id", "desc")
        .limit(1000)
        .offset(COMPARISONS_KEPT_MAX),
    )
    .execute();
}

export async function endComparison(db: Db, id: string, end: ComparisonEnd): Promise<void> {
  const { state, message, drivers, otherCalls, endedAt } = end;
  await db
    .updateTable("comparisons")
    .set({
      ...{ state, message, ended_at: endedAt, other_calls: otherCalls },
      drivers: JSON.stringify(drivers),
    })
    .where("id", "=", id)
    .execute();
}

export async function getComparison(db: Db, project: string, id: string): Promise<ComparisonRow> {
  const row = await db
    .selectFrom("comparisons")
    .selectAll()
    .where("project", "=", project)
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw unknown(id);
  return toRow(row);
}

/** Newest first. */
export async function listComparisons(
  db: Db,
  query: ComparisonQuery,
): Promise<Page<ComparisonRow>> {
  assertPageLimit(query.limit);
  let select = db.selectFrom("comparisons").selectAll().where("project", "=", query.project);
  if (query.functionName !== undefined)
    select = select.where("function_name", "=", query.functionName);
  if (query.cursor !== undefined) {
    const [at, id] = decodeCursor(query.cursor, "-startedAt", ["number", "string"]);
    select = select.where((eb) => eb(eb.refTuple("started_at", "id"), "<", eb.tuple(at, id)));
  }
  const rows = await select
    .orderBy("started_at", "desc")
    .orderBy("id", "desc")
    .limit(query.limit + 1)
    .execute();
  return toPage(rows.map(toRow), query.limit, (last) =>
    encodeCursor("-startedAt", [last.startedAt, last.id]),
  );
}

export async function deleteComparison(db: Db, project: string, id: string): Promise<void> {
  const { numDeletedRows } = await db
    .deleteFrom("comparisons")
    .where("project", "=", project)
    .where("id", "=", id)
    .executeTakeFirst();
  if (Number(numDeletedRows) === 0) throw unknown(id);
}

/** Of a life that ended in the middle of them. */
export async function closeComparisons(db: Db, message: string, nowMs: number): Promise<void> {
  await db
    .updateTable("comparisons")
    .set({ state: "failed", message, ended_at: nowMs })
    .where("state", "=", "running")
    .execute();
}

function unknown(id: string): IsolaError {
  return new IsolaError(
    "not_found",
    `there is no comparison "${id}": its id is wrong, or it was removed`,
  );
}

function toRow(row: Kept): ComparisonRow {
  return {
    id: row.id,
    project: row.project,
    functionName: row.function_name,
    revision: row.revision,
    state: row.state,
    message: row.message,
    subject: JSON.parse(row.subject) as ComparisonRow["subject"],
    parameters: JSON.parse(row.parameters) as ComparisonRow["parameters"],
    machine: JSON.parse(row.machine) as ComparisonRow["machine"],
    drivers: JSON.parse(row.drivers) as ComparisonRow["drivers"],
    otherCalls: row.other_calls,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

function fromRow(row: ComparisonRow): Kept {
  return {
    id: row.id,
    project: row.project,
    function_name: row.functionName,
    revision: row.revision,
    state: row.state,
    message: row.message,
    subject: JSON.stringify(row.subject),
    parameters: JSON.stringify(row.parameters),
    machine: JSON.stringify(row.machine),
    drivers: JSON.stringify(row.drivers),
    other_calls: row.otherCalls,
    started_at: row.startedAt,
    ended_at: row.endedAt,
  };
}
