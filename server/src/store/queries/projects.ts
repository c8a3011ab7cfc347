import type { Kysely, Selectable, Transaction } from "kysely";
import { DEFAULT_PROJECT } from "../../domain/project.ts";
import { IsolaError } from "../../errors.ts";
import { decodeCursor, encodeCursor, toPage } from "../cursor.ts";
import type { Page } from "../page.ts";
import type { ProjectChange, ProjectRow } from "../store.ts";
import type { DeploymentTables } from "../tables.ts";
import { assertPageLimit } from "./rows.ts";

type Db = Kysely<DeploymentTables>;
type Trx = Transaction<DeploymentTables>;

/** Of what is left in a project, so many are named. */
const NAMED_MAX = 5;

export async function createProject(
  db: Db,
  made: Pick<ProjectRow, "name" | "description" | "driver">,
  nowMs: number,
): Promise<ProjectRow> {
  const row = await db
    .insertInto("projects")
    .values({ ...made, version: 1, created_at: nowMs, updated_at: nowMs, deleted_at: null })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row) return toProjectRow(row);
  const there = await db.selectFrom("projects").selectAll().where("name", "=", made.name).execute();
  const why =
    there[0]?.deleted_at === null
      ? "exists"
      : "was deleted, and its name is not given again, as records of it may be left";
  throw new IsolaError("conflict", `project "${made.name}" ${why}: choose another name`);
}

export async function getProject(db: Db, name: string): Promise<ProjectRow> {
  const row = await db
    .selectFrom("projects")
    .selectAll()
    .where("name", "=", name)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  if (!row) throw noSuchProject(name);
  return toProjectRow(row);
}

/** By name. */
export async function listProjects(
  db: Db,
  page: { cursor?: string; limit: number },
): Promise<Page<ProjectRow>> {
  assertPageLimit(page.limit);
  let select = db.selectFrom("projects").selectAll().where("deleted_at", "is", null);
  if (page.cursor !== undefined) {
    const [name] = decodeCursor(page.cursor, "name", ["string"]);
    select = select.where("name", ">", name);
  }
  const rows = await select
    .orderBy("name")
    .limit(page.limit + 1)
    .execute();
  return toPage(rows.map(toProjectRow), page.limit, ({ name }) => encodeCursor("name", [name]));
}

export function updateProject(
  db: Db,
  target: { name: string; ifVersion?: number },
  change: ProjectChange,
  nowMs: number,
): Promise<ProjectRow> {
  return db.transaction().execute(async (trx) => {
    const before = await lockProject(trx, target, nowMs);
    if (Object.keys(change).length > 0)
      await trx.updateTable("projects").set(change).where("name", "=", target.name).execute();
    return { ...before, ...change };
  });
}

/** Its row stays, so that its name is not given again: records, layers and networks of it may be left. */
export function deleteProject(
  db: Db,
  target: { name: string; ifVersion?: number },
  nowMs: number,
): Promise<void> {
  return db.transaction().execute(async (trx) => {
    await lockProject(trx, target, nowMs);
    if (target.name === DEFAULT_PROJECT)
      throw new IsolaError("conflict", `project "${DEFAULT_PROJECT}" exists always`);
    await refuseWhatIsLeft(trx, target.name);
    await trx
      .updateTable("projects")
      .set({ deleted_at: nowMs })
      .where("name", "=", target.name)
      .execute();
  });
}

/** Within the transaction of what is to be in the project. Rejects with `not_found`. */
export async function requireProject(trx: Trx, name: string): Promise<void> {
  await getProject(trx, name);
}

/** Counts the change first, which holds the row until the end of the transaction. */
async function lockProject(
  trx: Trx,
  target: { name: string; ifVersion?: number },
  nowMs: number,
): Promise<ProjectRow> {
  const { name, ifVersion } = target;
  const updated = await trx
    .updateTable("projects")
    .set((eb) => ({ version: eb("version", "+", 1), updated_at: nowMs }))
    .where("name", "=", name)
    .where("deleted_at", "is", null)
    .$if(ifVersion !== undefined, (query) => query.where("version", "=", ifVersion as number))
    .returningAll()
    .executeTakeFirst();
  if (updated) return toProjectRow(updated);
  const { version } = await getProject(trx, name);
  throw new IsolaError(
    "precondition_failed",
    `project "${name}" is at version ${version}, the change was made for version ${ifVersion}: read it again and repeat the change`,
  );
}

async function refuseWhatIsLeft(trx: Trx, project: string): Promise<void> {
  const functions = await trx
    .selectFrom("functions")
    .select("name")
    .where("project", "=", project)
    .orderBy("name")
    .limit(NAMED_MAX + 1)
    .execute();
  const keys = await trx
    .selectFrom("keys")
    .select(["id", "name"])
    .where("project", "=", project)
    .where("revoked_at", "is", null)
    .orderBy("created_at")
    .limit(NAMED_MAX + 1)
    .execute();
  const left = [
    named(
      "functions",
      functions.map(({ name }) => name),
    ),
    named(
      "keys",
      keys.map(({ id, name }) => `${id} "${name}"`),
    ),
  ].filter((text) => text !== "");
  if (left.length === 0) return;
  throw new IsolaError(
    "conflict",
    `project "${project}" still has ${left.join(" and ")}: delete the functions and revoke the keys first`,
  );
}

function named(what: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const more = names.length > NAMED_MAX ? " and more" : "";
  return `${what} (${names.slice(0, NAMED_MAX).join(", ")}${more})`;
}

function noSuchProject(name: string): IsolaError {
  return new IsolaError("not_found", `project "${name}" does not exist`);
}

function toProjectRow(row: Selectable<DeploymentTables["projects"]>): ProjectRow {
  return {
    name: row.name,
    description: row.description,
    driver: row.driver,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
