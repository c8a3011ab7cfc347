import type { Kysely } from "kysely";
import type { DeploymentTables } from "../tables.ts";

type Db = Kysely<DeploymentTables>;

export interface IdempotentAnswer {
  requestHash: string;
  status: number;
  body: string;
}

export const IDEMPOTENCY_KEPT_MS = 86_400_000;

export async function getIdempotent(
  db: Db,
  pair: { keyId: string; key: string },
  nowMs: number,
): Promise<IdempotentAnswer | null> {
  const row = await db
    .selectFrom("idempotency")
    .select(["request_hash as requestHash", "status", "body"])
    .where("key_id", "=", pair.keyId)
    .where("idempotency_key", "=", pair.key)
    .where("created_at", ">", nowMs - IDEMPOTENCY_KEPT_MS)
    .executeTakeFirst();
  return row ?? null;
}

/** The first answer of a day stands. Answers of earlier days are dropped on the way. */
export function putIdempotent(
  db: Db,
  pair: { keyId: string; key: string },
  answer: IdempotentAnswer,
  nowMs: number,
): Promise<void> {
  return db.transaction().execute(async (trx) => {
    await trx
      .deleteFrom("idempotency")
      .where("created_at", "<=", nowMs - IDEMPOTENCY_KEPT_MS)
      .execute();
    await trx
      .insertInto("idempotency")
      .values({
        key_id: pair.keyId,
        idempotency_key: pair.key,
        request_hash: answer.requestHash,
        status: answer.status,
        body: answer.body,
        created_at: nowMs,
      })
      .onConflict((conflict) => conflict.columns(["key_id", "idempotency_key"]).doNothing())
      .execute();
  });
}
