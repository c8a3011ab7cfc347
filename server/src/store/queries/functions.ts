import type { Kysely, Transaction } from "kysely";
import { IsolaError } from "../../errors.ts";
import { failPoint } from "../../fail-points.ts";
import type { FunctionRow, Metadata, NewRevision, RevisionRow } from "../store.ts";
import { LIVE, type DeploymentTables } from "../tables.ts";
import { insertLabels, replaceLabels } from "./labels.ts";
import { requireProject } from "./projects.ts";
import { insertRevision, noSuchRevision, selectRevision } from "./revisions.ts";
import { functionColumns, toFunctionRow } from "./rows.ts";

type Db = Kysely<DeploymentTables>;
type Trx = Transaction<DeploymentTables>;

/** Which function, and the version the caller last saw. */
export interface FunctionTarget {
  project: string;
  name: string;
  ifVersion?: number;
}

export interface Deployed {
  fn: FunctionRow;
  revision: RevisionRow;
}

export interface NewFunction {
  id: string;
  project: string;
  name: string;
  description: string;
  labels: Record<string, string>;
  first: NewRevision;
}

export function createFunction(db: Db, input: NewFunction, nowMs: number): Promise<Deployed> {
  return db.transaction().execute(async (trx) => {
    await requireProject(trx, input.project);
    const created = await trx
      .insertInto("functions")
      .values({
        id: input.id,
        project: input.project,
        name: input.name,
        description: input.description,
        labels: JSON.stringify(input.labels),
        version: 1,
        latest_revision: 1,
        created_at: nowMs,
        updated_at: nowMs,
      })
      .onConflict((conflict) => conflict.columns(["project", "name"]).doNothing())
      .returning("id")
      .executeTakeFirst();
    if (!created) {
      throw new IsolaError(
        "conflict",
        `function "${input.name}" already exists in project "${input.project}": choose another name, or change that function`,
      );
    }
    await insertLabels(trx, input.project, input.id, input.labels);
    const revision = await insertRevision(trx, input.id, 1, { ...input.first, createdAt: nowMs });
    await failPoint("deploy.inserted");
    await trx
      .insertInto("aliases")
      .values({ function_id: input.id, name: LIVE, revision: 1 })
      .execute();
    return { fn: await getFunction(trx, input.project, input.name), revision };
  });
}

export async function getFunction(db: Db, project: string, name: string): Promise<FunctionRow> {
  const row = await db
    .selectFrom("functions")
    .innerJoin("aliases", "aliases.function_id", "functions.id")
    .where("aliases.name", "=", LIVE)
    .where("functions.project", "=", project)
    .where("functions.name", "=", name)
    .select(functionColumns)
    .executeTakeFirst();
  if (!row) throw noSuchFunction(project, name);
  return toFunctionRow(row);
}

/** `change` sees the live revision that the new one follows: nothing can come between, because the row is locked by then. */
export function addRevision(
  db: Db,
  target: FunctionTarget,
  change: (live: RevisionRow) => NewRevision,
  nowMs: number,
): Promise<Deployed> {
  return db.transaction().execute(async (trx) => {
    const before = await lockFunction(trx, target, nowMs);
    const live = await selectRevision(trx, before.id, before.liveRevision);
    const number = before.latestRevision + 1;
    const { metadata, ...next } = change(live);
    const revision = await insertRevision(trx, before.id, number, { ...next, createdAt: nowMs });
    await failPoint("deploy.inserted");
    const described = metadata ? await describe(trx, target, before, metadata) : before;
    await trx
      .updateTable("functions")
      .set({ latest_revision: number })
      .where("id", "=", before.id)
      .execute();
    await pointLive(trx, before.id, number);
    return { fn: { ...described, latestRevision: number, liveRevision: number }, revision };
  });
}

export function updateMetadata(
  db: Db,
  target: FunctionTarget,
  change: Metadata,
  nowMs: number,
): Promise<FunctionRow> {
  return db.transaction().execute(async (trx) => {
    const before = await lockFunction(trx, target, nowMs);
    return describe(trx, target, before, change);
  });
}

async function describe(
  trx: Trx,
  target: FunctionTarget,
  before: FunctionRow,
  change: Metadata,
): Promise<FunctionRow> {
  const description = change.description ?? before.description;
  const labels = change.labels ?? before.labels;
  await trx
    .updateTable("functions")
    .set({ description, labels: JSON.stringify(labels) })
    .where("id", "=", before.id)
    .execute();
  if (change.labels) await replaceLabels(trx, target.project, before.id, change.labels);
  return { ...before, description, labels };
}

export function setLive(
  db: Db,
  target: FunctionTarget,
  revision: number,
  nowMs: number,
): Promise<FunctionRow> {
  return db.transaction().execute(async (trx) => {
    const before = await lockFunction(trx, target, nowMs);
    const found = await trx
      .selectFrom("revisions")
      .select("revision")
      .where("function_id", "=", before.id)
      .where("revision", "=", revision)
      .executeTakeFirst();
    if (!found) throw await noSuchRevision(trx, before.id, revision);
    await pointLive(trx, before.id, revision);
    return { ...before, liveRevision: revision };
  });
}

/** Its revisions, aliases and labels go with it; its records stay until they are trimmed. */
export function deleteFunction(db: Db, target: FunctionTarget, nowMs: number): Promise<void> {
  return db.transaction().execute(async (trx) => {
    const before = await lockFunction(trx, target, nowMs);
    await trx.deleteFrom("functions").where("id", "=", before.id).execute();
  });
}

/**
 * Counts the change first: in every engine the update holds the row until the end of the transaction, so what is read afterwards stays true.
 * Answers the row as it will be, apart from what the caller goes on to change.
 */
async function lockFunction(trx: Trx, target: FunctionTarget, nowMs: number): Promise<FunctionRow> {
  const { project, name, ifVersion } = target;
  const updated = await trx
    .updateTable("functions")
    .set((eb) => ({ version: eb("version", "+", 1), updated_at: nowMs }))
    .where("project", "=", project)
    .where("name", "=", name)
    .$if(ifVersion !== undefined, (query) => query.where("version", "=", ifVersion as number))
    .returning("id")
    .executeTakeFirst();
  const row = await getFunction(trx, project, name);
  if (updated) return row;
  throw new IsolaError(
    "precondition_failed",
    `function "${name}" is at version ${row.version}, the change was made for version ${ifVersion}: read it again and repeat the change`,
  );
}

async function pointLive(trx: Trx, functionId: string, revision: number): Promise<void> {
  await trx
    .updateTable("aliases")
    .set({ revision })
    .where("function_id", "=", functionId)
    .where("name", "=", LIVE)
    .execute();
}

function noSuchFunction(project: string, name: string): IsolaError {
  return new IsolaError("not_found", `function "${name}" does not exist in project "${project}"`);
}
