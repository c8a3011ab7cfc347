import type { Kysely, Selectable } from "kysely";
import { IsolaError } from "../../errors.ts";
import type { KeyRow } from "../store.ts";
import type { DeploymentTables } from "../tables.ts";
import { requireProject } from "./projects.ts";

type Db = Kysely<DeploymentTables>;

/** Keys a list answers at most; far above what a person manages by hand. */
const KEYS_MAX = 10_000;

export function createKey(
  db: Db,
  key: Omit<KeyRow, "createdAt" | "lastUsedAt" | "revokedAt">,
  nowMs: number,
): Promise<KeyRow> {
  return db.transaction().execute(async (trx) => {
    if (key.project !== null) await requireProject(trx, key.project);
    return insertKey(trx, key, nowMs);
  });
}

async function insertKey(
  db: Db,
  key: Parameters<typeof createKey>[1],
  nowMs: number,
): Promise<KeyRow> {
  const row = await db
    .insertInto("keys")
    .values({
      id: key.id,
      name: key.name,
      scopes: JSON.stringify(key.scopes),
      secret_hash: key.secretHash,
      project: key.project,
      created_at: nowMs,
      expires_at: key.expiresAt,
      last_used_at: null,
      revoked_at: null,
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .returningAll()
    .executeTakeFirst();
  if (!row) throw new IsolaError("conflict", `key "${key.id}" already exists`);
  return toKeyRow(row);
}

export async function getKey(db: Db, id: string): Promise<KeyRow | null> {
  const row = await db.selectFrom("keys").selectAll().where("id", "=", id).executeTakeFirst();
  return row ? toKeyRow(row) : null;
}

/** Oldest first. */
export async function listKeys(db: Db): Promise<KeyRow[]> {
  const rows = await db
    .selectFrom("keys")
    .selectAll()
    .orderBy("created_at")
    .orderBy("id")
    .limit(KEYS_MAX)
    .execute();
  return rows.map(toKeyRow);
}

/** A key revoked twice keeps its first time. */
export async function revokeKey(db: Db, id: string, nowMs: number): Promise<KeyRow> {
  const row = await db
    .updateTable("keys")
    .set((eb) => ({ revoked_at: eb.fn.coalesce("revoked_at", eb.val(nowMs)) }))
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirst();
  if (!row) throw new IsolaError("not_found", `key "${id}" does not exist`);
  return toKeyRow(row);
}

/** `used` maps the id of a key to when it was last used; an older time than the one kept changes nothing. */
export function touchKeys(db: Db, used: Map<string, number>): Promise<void> {
  return db.transaction().execute(async (trx) => {
    for (const [id, at] of used) {
      await trx
        .updateTable("keys")
        .set({ last_used_at: at })
        .where("id", "=", id)
        .where((eb) => eb.or([eb("last_used_at", "is", null), eb("last_used_at", "<", at)]))
        .execute();
    }
  });
}

function toKeyRow(row: Selectable<DeploymentTables["keys"]>): KeyRow {
  return {
    id: row.id,
    name: row.name,
    scopes: JSON.parse(row.scopes),
    secretHash: row.secret_hash,
    project: row.project,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}
