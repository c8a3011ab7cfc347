import type { Kysely } from "kysely";
import {
  type Distribution,
  type SeriesMinute,
  distributions,
} from "../../metrics/invocation-sums.ts";
import { type SeriesLabels, keyOf } from "../../metrics/labels.ts";
import { DAY, HOUR, MINUTE } from "../../metrics/resolutions.ts";
import type { MeasuredMinute } from "../../metrics/measured-minutes.ts";
import type { RecordTables } from "../tables.ts";
import { type SeriesRow, seriesOf } from "./metric-series.ts";
import { histogramRows, keysOf, measureRows, merged, sumRows, sumsRowOf } from "./metric-rows.ts";

type Db = Kysely<RecordTables>;
type Key = Pick<RecordTables["invocation_sums"], "resolution" | "series" | "at">;

/** Adds to what is kept of those minutes. To be called in the transaction that stores what they were made of, so that nothing is counted twice. */
export async function addInvocations(db: Db, minutes: readonly SeriesMinute[]): Promise<void> {
  const placed = await place(db, minutes);
  const sums = placed.map(({ key, of }) => ({ ...key, ...sumsRowOf(of.sums) }));
  const counts = placed.flatMap(({ key, of }) => toCounts(key, of));
  await sumRows.run(db, merged(sums, keysOf.sums).sort(byKey));
  await histogramRows.run(db, merged(counts, keysOf.histograms).sort(byKey));
}

/** As `addInvocations`, of what the gateway measured. */
export async function addMeasures(db: Db, minutes: readonly MeasuredMinute[]): Promise<void> {
  const placed = await place(db, minutes);
  const rows = placed.map(({ key, of: { measure, detail, total, most } }) => ({
    ...key,
    ...{ measure, detail, total, most },
  }));
  await measureRows.run(db, merged(rows, keysOf.measures).sort(byKey));
}

/** A minute that comes late, when its hour or day has been added up, goes into these too. */
async function place<T extends { minute: number; labels: SeriesLabels }>(
  db: Db,
  minutes: readonly T[],
): Promise<{ key: Key; of: T }[]> {
  const keyed = minutes.map((of) => ({ of, text: keyOf(of.labels) }));
  const series = await seriesOf(db, new Map(keyed.map(({ of, text }) => [text, of.labels])));
  return keyed.flatMap(({ of, text }) => {
    const row = series.get(text) as SeriesRow;
    const key = (resolution: number) => ({
      resolution,
      series: row.id,
      at: Math.floor(of.minute / resolution) * resolution,
    });
    return [
      { key: key(MINUTE), of },
      ...(of.minute < row.hours_until ? [{ key: key(HOUR), of }] : []),
      ...(of.minute < row.days_until ? [{ key: key(DAY), of }] : []),
    ];
  });
}

function toCounts(key: Key, { histograms }: SeriesMinute): RecordTables["invocation_histograms"][] {
  return (Object.keys(distributions) as Distribution[]).flatMap((name) =>
    [...histograms[name]].map(([bucket, invocations]) => ({
      ...key,
      distribution: distributions[name],
      bucket,
      invocations,
    })),
  );
}

/** Rows that lie together are written together. */
function byKey(
  a: Key & { distribution?: number; bucket?: number },
  b: Key & { distribution?: number; bucket?: number },
): number {
  return (
    a.resolution - b.resolution ||
    a.series - b.series ||
    (a.distribution ?? 0) - (b.distribution ?? 0) ||
    a.at - b.at ||
    (a.bucket ?? 0) - (b.bucket ?? 0)
  );
}
