import type { Kysely, Selectable } from "kysely";
import type { SessionRow } from "../store.ts";
import type { DeploymentTables } from "../tables.ts";

type Db = Kysely<DeploymentTables>;

/** Sessions that are kept at most: beyond it the ones that end first go. */
const SESSIONS_MAX = 1000;

/** Takes those that have ended out at the same time. */
export function createSession(db: Db, session: SessionRow): Promise<void> {
  return db.transaction().execute(async (trx) => {
    await trx.deleteFrom("sessions").where("expires_at", "<=", session.createdAt).execute();
    const kept = trx
      .selectFrom("sessions")
      .select("token_hash")
      .orderBy("expires_at", "desc")
      .orderBy("token_hash")
      .limit(SESSIONS_MAX - 1);
    await trx.deleteFrom("sessions").where("token_hash", "not in", kept).execute();
    await trx
      .insertInto("sessions")
      .values({
        token_hash: session.tokenHash,
        key_id: session.keyId,
        created_at: session.createdAt,
        expires_at: session.expiresAt,
      })
      .execute();
  });
}

export async function getSession(db: Db, tokenHash: string): Promise<SessionRow | null> {
  const row = await db
    .selectFrom("sessions")
    .selectAll()
    .where("token_hash", "=", tokenHash)
    .executeTakeFirst();
  return row ? toSessionRow(row) : null;
}

export async function extendSession(db: Db, tokenHash: string, expiresAt: number): Promise<void> {
  await db
    .updateTable("sessions")
    .set({ expires_at: expiresAt })
    .where("token_hash", "=", tokenHash)
    .where("expires_at", "<", expiresAt)
    .execute();
}

export async function deleteSession(db: Db, tokenHash: string): Promise<void> {
  await db.deleteFrom("sessions").where("token_hash", "=", tokenHash).execute();
}

function toSessionRow(row: Selectable<DeploymentTables["sessions"]>): SessionRow {
  return {
    tokenHash: row.token_hash,
    keyId: row.key_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
