import type { Kysely, Selectable } from "kysely";
import type { SeriesLabels } from "../../metrics/labels.ts";
import type { RecordTables } from "../tables.ts";
import { insertMany } from "./insert-many.ts";

type Db = Kysely<RecordTables>;
export type SeriesRow = Pick<
  Selectable<RecordTables["metric_series"]>,
  "id" | "hours_until" | "days_until"
>;

const KEYS_AT_ONCE = 500;

/** By key; those that are not there yet are made. */
export async function seriesOf(
  db: Db,
  labels: ReadonlyMap<string, SeriesLabels>,
): Promise<Map<string, SeriesRow>> {
  const found = await findSeries(db, [...labels.keys()]);
  const missing = [...labels].filter(([key]) => !found.has(key));
  if (missing.length === 0) return found;
  await insertMany(
    missing.map(([key, each]) => rowOf(key, each)),
    (rows) =>
      db
        .insertInto("metric_series")
        .values(rows)
        .onConflict((conflict) => conflict.column("series_key").doNothing())
        .execute(),
  );
  const made = await findSeries(
    db,
    missing.map(([key]) => key),
  );
  return new Map([...found, ...made]);
}

async function findSeries(db: Db, keys: string[]): Promise<Map<string, SeriesRow>> {
  const found = new Map<string, SeriesRow>();
  for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
    const rows = await db
      .selectFrom("metric_series")
      .select(["id", "series_key", "hours_until", "days_until"])
      .where("series_key", "in", keys.slice(at, at + KEYS_AT_ONCE))
      .execute();
    for (const { series_key: key, ...row } of rows) found.set(key, row);
  }
  return found;
}

function rowOf(key: string, labels: SeriesLabels) {
  return {
    series_key: key,
    project: labels.project,
    function_name: labels.functionName,
    function_id: labels.functionId,
    revision: labels.revision,
    driver: labels.driver,
    outcome: labels.outcome,
    start_kind: labels.startKind,
    hours_until: 0,
    days_until: 0,
  };
}
