import { type Kysely, sql } from "kysely";
import { addTo } from "../../metrics/histogram.ts";
import { type Distribution, distributions, noSums } from "../../metrics/invocation-sums.ts";
import type {
  DistributionPoint,
  GroupLabels,
  InvocationPoint,
  MeasurePoint,
  MetricsQuery,
} from "../metrics-store.ts";
import type { RecordTables } from "../tables.ts";
import {
  type Row,
  addSums,
  invocationLevel,
  keyOf,
  labelsOf,
  measureLevel,
  readRows,
  sumValues,
} from "./read-metrics.ts";

type Db = Kysely<RecordTables>;

export async function sumInvocations(db: Db, query: MetricsQuery): Promise<InvocationPoint[]> {
  const level = invocationLevel(query);
  const rows = await readRows(db, "invocation_sums", query, { level, values: sumValues });
  const points = new Points(query, () => ({ sums: noSums() }));
  for (const row of rows) addSums(points.of(row).sums, row);
  return points.all();
}

export async function readDistribution(
  db: Db,
  query: MetricsQuery,
  distribution: Distribution,
): Promise<DistributionPoint[]> {
  const rows = await readRows(db, "invocation_histograms", query, {
    level: invocationLevel(query),
    where: sql`t.distribution = ${sql.raw(String(distributions[distribution]))}`,
    keys: ["bucket"],
    values: sql`cast(sum(t.invocations) as double precision) as invocations`,
  });
  const points = new Points(query, () => ({ histogram: new Map<number, number>() }));
  for (const row of rows)
    addTo(points.of(row).histogram, row.bucket as number, row.invocations as number);
  return points.all();
}

export async function sumMeasures(
  db: Db,
  query: MetricsQuery,
  measures: readonly string[],
): Promise<MeasurePoint[]> {
  if (measures.length === 0) return [];
  const rows = await readRows(db, "measures", query, {
    level: measureLevel(query),
    where: sql`t.measure in (${sql.join(measures)})`,
    keys: ["measure", "detail"],
    values: sql`cast(sum(t.total) as double precision) as total, max(t.most) as most,
      count(distinct t.series) as series`,
  });
  const points = new Points(query, () => ({ values: [] as MeasurePoint["values"] }));
  for (const row of rows) {
    const { values } = points.of(row);
    const measure = row.measure as string;
    const detail = row.detail as string;
    const known = values.find((one) => one.measure === measure && one.detail === detail);
    const most = Number(row.series) === 1 ? (row.most as number) : null;
    if (known === undefined) values.push({ measure, detail, total: row.total as number, most });
    else {
      known.total += row.total as number;
      known.most = known.most === null || most === null ? null : Math.max(known.most, most);
    }
  }
  return points.all();
}

/** One for each group and step, made when it is met. */
class Points<T extends object> {
  readonly #query: MetricsQuery;
  readonly #make: () => T;
  readonly #points = new Map<string, { labels: GroupLabels; at: number } & T>();

  constructor(query: MetricsQuery, make: () => T) {
    this.#query = query;
    this.#make = make;
  }

  of(row: Row): T {
    const key = keyOf(row, this.#query);
    const known = this.#points.get(key);
    if (known !== undefined) return known;
    const point = { labels: labelsOf(row, this.#query), at: row.at, ...this.#make() };
    this.#points.set(key, point);
    return point;
  }

  all() {
    return [...this.#points.values()];
  }
}
