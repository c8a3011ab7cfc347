import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import { IsolaError } from "../../errors.ts";
import { type DeployedFunction, gatewaySettingsOf, runMsMaxOf } from "../../domain/function.ts";
import type { ScheduledFunction } from "../schedule-store.ts";
import { decodeCursor, encodeCursor, toPage } from "../cursor.ts";
import type { Page } from "../page.ts";
import type { LiveFunction, NewRevision, RevisionRow } from "../store.ts";
import { LIVE, type DeploymentTables } from "../tables.ts";
import { assertPageLimit, fromRevisionRow, toRevisionRow } from "./rows.ts";

type Db = Kysely<DeploymentTables>;

/** Rows read between two turns of the event loop. */
const CHUNK_ROWS = 1000;
const NAMED_REVISIONS_MAX = 20;

export async function insertRevision(
  db: Db,
  functionId: string,
  revision: number,
  made: NewRevision & { createdAt: number },
): Promise<RevisionRow> {
  const { artifact, layer, settings, createdAt, createdBy, reason } = made;
  const code = { artifact, ...(layer && { layer }) };
  const row = { functionId, revision, ...code, settings, createdAt, createdBy, reason };
  await db.insertInto("revisions").values(fromRevisionRow(row)).execute();
  return row;
}

export async function selectRevision(
  db: Db,
  functionId: string,
  revision: number,
): Promise<RevisionRow> {
  const row = await db
    .selectFrom("revisions")
    .selectAll()
    .where("function_id", "=", functionId)
    .where("revision", "=", revision)
    .executeTakeFirst();
  if (!row) throw await noSuchRevision(db, functionId, revision);
  return toRevisionRow(row);
}

/** Names the newest revisions that exist. */
export async function noSuchRevision(
  db: Db,
  functionId: string,
  revision: number,
): Promise<IsolaError> {
  const rows = await db
    .selectFrom("revisions")
    .select("revision")
    .where("function_id", "=", functionId)
    .orderBy("revision", "desc")
    .limit(NAMED_REVISIONS_MAX)
    .execute();
  const existing = rows.map((row) => row.revision).join(", ");
  return new IsolaError(
    "not_found",
    existing
      ? `revision ${revision} does not exist; the newest are ${existing}`
      : `revision ${revision} does not exist, nor does its function`,
  );
}

/** Newest first. */
export async function listRevisions(
  db: Db,
  functionId: string,
  page: { cursor?: string; limit: number },
): Promise<Page<RevisionRow>> {
  assertPageLimit(page.limit);
  let select = db.selectFrom("revisions").selectAll().where("function_id", "=", functionId);
  if (page.cursor !== undefined) {
    const [revision] = decodeCursor(page.cursor, "-revision", ["number"]);
    select = select.where("revision", "<", revision);
  }
  const rows = await select
    .orderBy("revision", "desc")
    .limit(page.limit + 1)
    .execute();
  return toPage(rows.map(toRevisionRow), page.limit, (last) =>
    encodeCursor("-revision", [last.revision]),
  );
}

/** One consistent picture, read in chunks so that the event loop goes on; other calls to this database wait meanwhile. */
export function deployedFunctions(db: Db): Promise<DeployedFunction[]> {
  const snapshot = db.transaction().setAccessMode("read only").setIsolationLevel("repeatable read");
  return snapshot.execute(async (trx) => {
    const all: DeployedFunction[] = [];
    for (let after = ""; ; ) {
      const chunk = await deployedAfter(trx, after);
      all.push(...chunk);
      if (chunk.length < CHUNK_ROWS) return all;
      after = chunk.at(-1)?.functionId as string;
      await setImmediate();
    }
  });
}

async function deployedAfter(db: Db, functionId: string): Promise<DeployedFunction[]> {
  const rows = await liveAfter(db, functionId)
    .select(["functions.project", "functions.name"])
    .selectAll("revisions")
    .execute();
  return rows.map((row) => {
    const { functionId: id, revision, artifact, layer, settings } = toRevisionRow(row);
    const code = { artifact, ...(layer && { layer }) };
    const about = { project: row.project, name: row.name, functionId: id, revision };
    return { ...about, ...code, settings: gatewaySettingsOf(settings) };
  });
}

/** Read in chunks, so that the event loop goes on; to be called while nothing changes. */
export async function liveFunctions(db: Db): Promise<LiveFunction[]> {
  const all: LiveFunction[] = [];
  for (let after = ""; ; ) {
    const rows = await liveAfter(db, after)
      .select(["functions.id", "functions.name", "functions.project"])
      .select(["revisions.route_path", "revisions.route_methods", "revisions.driver"])
      .execute();
    for (const { project, name, route_path: path, route_methods: methods, driver } of rows)
      all.push({
        project,
        name,
        route: path === null ? null : { methods: JSON.parse(methods as string), path },
        driver,
      });
    if (rows.length < CHUNK_ROWS) return all;
    after = rows.at(-1)?.id as string;
    await setImmediate();
  }
}

/** Those of `liveFunctions` that have schedules. */
export async function scheduledFunctions(db: Db): Promise<ScheduledFunction[]> {
  const all: ScheduledFunction[] = [];
  for (let after = ""; ; ) {
    const rows = await liveAfter(db, after)
      .where("revisions.schedules", ">", 0)
      .select(["functions.project", "functions.name", "functions.updated_at"])
      .selectAll("revisions")
      .execute();
    for (const row of rows) {
      const { functionId, settings } = toRevisionRow(row);
      const { project, name, updated_at: updatedAt } = row;
      const { schedules } = settings;
      const runMsMax = runMsMaxOf(settings);
      all.push({ project, name, functionId, updatedAt, schedules, runMsMax });
    }
    if (rows.length < CHUNK_ROWS) return all;
    after = rows.at(-1)?.function_id as string;
    await setImmediate();
  }
}

/** The next functions in the order of their ids, each with its live revision. */
function liveAfter(db: Db, functionId: string) {
  return db
    .selectFrom("functions")
    .innerJoin("aliases", "aliases.function_id", "functions.id")
    .innerJoin("revisions", (join) =>
      join
        .onRef("revisions.function_id", "=", "aliases.function_id")
        .onRef("revisions.revision", "=", "aliases.revision"),
    )
    .where("aliases.name", "=", LIVE)
    .where("functions.id", ">", functionId)
    .orderBy("functions.id")
    .limit(CHUNK_ROWS);
}

export async function artifactDigests(db: Db): Promise<Set<string>> {
  const rows = await db.selectFrom("revisions").select("artifact_digest").distinct().execute();
  const built = await db
    .selectFrom("revisions")
    .select("layer_digest as digest")
    .where("layer_digest", "is not", null)
    .union(db.selectFrom("layers").select("digest"))
    .execute();
  const digests = [...rows.map((row) => row.artifact_digest), ...built.map((row) => row.digest)];
  return new Set(digests.filter((digest) => digest !== null));
}
