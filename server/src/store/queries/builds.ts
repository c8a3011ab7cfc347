import type { Kysely, Selectable } from "kysely";
import { decodeCursor, encodeCursor, toPage } from "../cursor.ts";
import type { Page } from "../page.ts";
import type { BuildQuery, BuildRow } from "../store.ts";
import type { DeploymentTables } from "../tables.ts";
import { assertPageLimit } from "./rows.ts";

type Db = Kysely<DeploymentTables>;

/** Those of a function that are kept; older ones go as new ones begin. */
const BUILDS_KEPT_MAX = 50;

export async function addBuild(db: Db, build: BuildRow): Promise<void> {
  await db.insertInto("builds").values(fromBuildRow(build)).execute();
  await db
    .deleteFrom("builds")
    .where("id", "in", (eb) =>
      eb
        .selectFrom("builds")
        .select("id")
        .where("project", "=", build.project)
        .where("function_name", "=", build.functionName)
        .where("state", "!=", "running")
        .orderBy("started_at", "desc")
        .orderBy("id", "desc")
        .limit(1000)
        .offset(BUILDS_KEPT_MAX),
    )
    .execute();
}

export async function endBuild(
  db: Db,
  id: string,
  end: Pick<BuildRow, "state" | "isCached" | "message" | "output" | "endedAt">,
): Promise<void> {
  const { state, isCached, message, output, endedAt } = end;
  await db
    .updateTable("builds")
    .set({
      state,
      is_cached: isCached ? 1 : 0,
      message,
      output: output.join("\n"),
      ended_at: endedAt,
    })
    .where("id", "=", id)
    .execute();
}

/** Newest first. */
export async function listBuilds(db: Db, query: BuildQuery): Promise<Page<BuildRow>> {
  assertPageLimit(query.limit);
  let select = db
    .selectFrom("builds")
    .selectAll()
    .where("project", "=", query.project)
    .where("function_name", "=", query.functionName);
  if (query.cursor !== undefined) {
    const [at, id] = decodeCursor(query.cursor, "-startedAt", ["number", "string"]);
    select = select.where((eb) =>
      eb.or([eb("started_at", "<", at), eb.and([eb("started_at", "=", at), eb("id", "<", id)])]),
    );
  }
  const rows = await select
    .orderBy("started_at", "desc")
    .orderBy("id", "desc")
    .limit(query.limit + 1)
    .execute();
  return toPage(rows.map(toBuildRow), query.limit, (last) =>
    encodeCursor("-startedAt", [last.startedAt, last.id]),
  );
}

/** Of a life that ended in the middle of them, and of times before `before`. */
export async function closeBuilds(db: Db, message: string, nowMs: number): Promise<void> {
  await db
    .updateTable("builds")
    .set({ state: "failed", message, ended_at: nowMs })
    .where("state", "=", "running")
    .execute();
}

export async function trimBuilds(db: Db, before: number): Promise<number> {
  const result = await db
    .deleteFrom("builds")
    .where("started_at", "<", before)
    .where("state", "!=", "running")
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

function toBuildRow(row: Selectable<DeploymentTables["builds"]>): BuildRow {
  return {
    id: row.id,
    project: row.project,
    functionName: row.function_name,
    runtime: row.runtime,
    driver: row.driver,
    state: row.state,
    isCached: row.is_cached !== 0,
    message: row.message,
    output: row.output === "" ? [] : row.output.split("\n"),
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

function fromBuildRow(row: BuildRow): Selectable<DeploymentTables["builds"]> {
  return {
    id: row.id,
    project: row.project,
    function_name: row.functionName,
    runtime: row.runtime,
    driver: row.driver,
    state: row.state,
    is_cached: row.isCached ? 1 : 0,
    message: row.message,
    output: row.output.join("\n"),
    started_at: row.startedAt,
    ended_at: row.endedAt,
  };
}
