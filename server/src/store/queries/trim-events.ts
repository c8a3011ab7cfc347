import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import type { RecordTables } from "../tables.ts";

type Db = Kysely<RecordTables>;

/** Events deleted in one statement, between two turns of the event loop. */
const STEP_EVENTS = 1000;

/** Oldest first: from before `before`, then as many as are above the bound. */
export async function trimEvents(
  db: Db,
  { eventsMax, before }: { eventsMax: number; before: number },
): Promise<number> {
  const { count } = await db
    .selectFrom("events")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  let above = Number(count) - eventsMax;
  let gone = 0;
  for (;;) {
    const oldest = await db
      .selectFrom("events")
      .select(["seq", "at"])
      .orderBy("at")
      .orderBy("seq")
      .limit(STEP_EVENTS)
      .execute();
    const old = oldest.filter(({ at }, index) => at < before || index < above);
    if (old.length === 0) return gone;
    const numbers = old.map(({ seq }) => seq);
    await db.deleteFrom("events").where("seq", "in", numbers).execute();
    gone += old.length;
    above -= old.length;
    if (old.length < STEP_EVENTS) return gone;
    await setImmediate();
  }
}
