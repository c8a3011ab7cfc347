import type { Kysely } from "kysely";
import type { RecordTables } from "../tables.ts";
import { forgetBatches } from "./record-batches.ts";
import { trimInvocations } from "./trim-invocations.ts";

type Db = Kysely<RecordTables>;

/** Oldest first: invocations from before `before`, then as many as are above the bound. */
export async function trimRecords(
  db: Db,
  { invocationsMax, before }: { invocationsMax: number; before: number },
): Promise<number> {
  const invocations = await trimInvocations(db, invocationsMax, before);
  await forgetBatches(db, before);
  return invocations;
}
