import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import { DAY, HOUR, MINUTE } from "../../metrics/resolutions.ts";
import type { MetricsKept } from "../metrics-store.ts";
import type { RecordTables } from "../tables.ts";

type Db = Kysely<RecordTables>;

/** Trimmed in one transaction, between two turns of the event loop. */
const SERIES_AT_ONCE = 20;
const tables = ["invocation_sums", "invocation_histograms", "measures"] as const;

/** Drops minutes, hours and days from before the bounds, once they are added up, and series that have nothing left. */
export async function trimMetrics(db: Db, nowMs: number, kept: MetricsKept): Promise<void> {
  const nowMinutes = Math.floor(nowMs / 60_000);
  const before = (minutes: number) => nowMinutes - minutes;
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom("metric_series")
      .select(["id", "hours_until", "days_until"])
      .where("id", ">", after)
      .orderBy("id")
      .limit(SERIES_AT_ONCE)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return;
    await db.transaction().execute(async (trx) => {
      for (const { id, hours_until: hoursUntil, days_until: daysUntil } of rows) {
        await drop(trx, id, MINUTE, Math.min(before(kept.minutesKeptMinutes), hoursUntil));
        await drop(trx, id, HOUR, Math.min(before(kept.hoursKeptMinutes), daysUntil));
        await drop(trx, id, DAY, before(kept.daysKeptMinutes));
      }
      await dropEmpty(
        trx,
        rows.map(({ id }) => id),
      );
    });
    after = last.id;
    await setImmediate();
  }
}

async function drop(db: Db, series: number, resolution: number, before: number): Promise<void> {
  for (const table of tables)
    await db
      .deleteFrom(table)
      .where("resolution", "=", resolution)
      .where("series", "=", series)
      .where("at", "<", before)
      .execute();
}

async function dropEmpty(db: Db, ids: number[]): Promise<void> {
  let empty = db.deleteFrom("metric_series").where("id", "in", ids);
  for (const table of ["invocation_sums", "measures"] as const)
    for (const resolution of [MINUTE, HOUR, DAY])
      empty = empty.where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom(table)
              .select("at")
              .where("resolution", "=", resolution)
              .whereRef("series", "=", "metric_series.id"),
          ),
        ),
      );
  await empty.execute();
}
