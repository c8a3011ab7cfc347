import { type Kysely, type RawBuilder, sql } from "kysely";
import type { InvocationSums } from "../../metrics/invocation-sums.ts";
import { type Grouping, groupings } from "../../metrics/labels.ts";
import { DAY, HOUR, MINUTE, type Resolution } from "../../metrics/resolutions.ts";
import type { GroupLabels, MetricsFilter, MetricsQuery } from "../metrics-store.ts";
import type { RecordTables } from "../tables.ts";
import { sumColumnOf, sumColumns } from "./metric-rows.ts";

type Db = Kysely<RecordTables>;
type Table = "invocation_sums" | "invocation_histograms" | "measures";

const columnsOf: Record<Grouping, string> = {
  project: "project",
  function: "function_name",
  revision: "revision",
  driver: "driver",
  outcome: "outcome",
  startKind: "start_kind",
};

interface Part {
  resolution: number;
  /** Which rows of that length are asked: up to the mark, or from it on, where a coarser one does not have them yet. */
  from: RawBuilder<unknown> | null;
  until: RawBuilder<unknown> | null;
}

const hours = sql`s.hours_until`;
const days = sql`s.days_until`;
const partsFor: Record<Resolution, readonly Part[]> = {
  [MINUTE]: [{ resolution: MINUTE, from: null, until: null }],
  [HOUR]: [
    { resolution: HOUR, from: null, until: hours },
    { resolution: MINUTE, from: hours, until: null },
  ],
  [DAY]: [
    { resolution: DAY, from: null, until: days },
    { resolution: HOUR, from: days, until: hours },
    { resolution: MINUTE, from: hours, until: null },
  ],
};

export type Row = { at: number } & Record<string, string | number>;

/** Sums by group and step, for each part of the time that is kept in another length; what belongs together is in several rows. */
export async function readRows(
  db: Db,
  table: Table,
  query: MetricsQuery,
  more: {
    level: RawBuilder<boolean>;
    where?: RawBuilder<boolean>;
    keys?: readonly string[];
    values: RawBuilder<unknown>;
  },
): Promise<Row[]> {
  const { stepMinutes, resolution } = query;
  const length = sql.raw<number>(String(stepMinutes));
  const step = sql`t.at / ${length} * ${length}`;
  const labels = query.groupBy.map((name) => sql.ref(`s.${columnsOf[name]}`));
  const keys = (more.keys ?? []).map((name) => sql.ref(`t.${name}`));
  const grouped = sql.join([...labels, ...keys, step]);
  const rows: Row[] = [];
  for (const part of partsFor[resolution]) {
    const found =
      await sql<Row>`select ${sql.join([...labels, ...keys, sql`${step} as at`])}, ${more.values}
      from metric_series s cross join ${sql.table(table)} t
      where ${more.level} and ${matches(query.filter)} and ${inPart(part, query)}
      and ${more.where ?? sql`1 = 1`} group by ${grouped}`.execute(db);
    rows.push(...found.rows);
  }
  return rows;
}

function inPart({ resolution, from, until }: Part, query: MetricsQuery): RawBuilder<boolean> {
  const least =
    from === null
      ? sql`${query.from}`
      : sql`case when ${from} > ${query.from} then ${from} else ${query.from} end`;
  const end =
    until === null
      ? sql`${query.until}`
      : sql`case when ${until} < ${query.until} then ${until} else ${query.until} end`;
  return sql`t.series = s.id and t.resolution = ${sql.raw(String(resolution))} and t.at >= ${least} and t.at < ${end}`;
}

function matches(filter: MetricsFilter): RawBuilder<boolean> {
  const { project, functionNames, revision, driver, outcome, startKind } = filter;
  const conditions = [
    ...(project === undefined ? [] : [sql`s.project = ${project}`]),
    ...(functionNames === undefined ? [] : [inNames(functionNames)]),
    ...(revision === undefined ? [] : [sql`s.revision = ${revision}`]),
    ...(driver === undefined ? [] : [sql`s.driver = ${driver}`]),
    ...(outcome === undefined ? [] : [sql`s.outcome = ${outcome}`]),
    ...(startKind === undefined ? [] : [sql`s.start_kind = ${startKind}`]),
    sql`1 = 1`,
  ];
  return sql.join(conditions, sql` and `) as RawBuilder<boolean>;
}

function inNames(names: readonly string[]): RawBuilder<unknown> {
  return names.length === 0 ? sql`1 = 0` : sql`s.function_name in (${sql.join(names)})`;
}

export function isOfFunctions(query: MetricsQuery): boolean {
  const { groupBy, filter } = query;
  if (filter.functionNames !== undefined || filter.revision !== undefined) return true;
  return groupBy.includes("function") || groupBy.includes("revision");
}

/** Invocations have series of any function, by all that is not the function's. */
export function invocationLevel(query: MetricsQuery): RawBuilder<boolean> {
  return isOfFunctions(query) ? sql`s.function_name <> ''` : sql`s.function_name = ''`;
}

/** Measures have series of one function, of a driver in a project, and of everything. */
export function measureLevel(query: MetricsQuery): RawBuilder<boolean> {
  const { groupBy, filter } = query;
  if (isOfFunctions(query)) return sql`s.function_name <> ''`;
  const isOfDrivers =
    filter.driver !== undefined ||
    filter.project !== undefined ||
    groupBy.includes("driver") ||
    groupBy.includes("project");
  return isOfDrivers
    ? sql`s.function_name = '' and s.driver <> ''`
    : sql`s.function_name = '' and s.driver = ''`;
}

/** The same for rows of one group and step. Made for every row, of which there are thousands. */
export function keyOf(row: Row, { groupBy }: MetricsQuery): string {
  let key = String(row.at);
  for (const name of groupBy) key += `\n${row[columnsOf[name]]}`;
  return key;
}

export function labelsOf(row: Row, query: MetricsQuery): GroupLabels {
  const labels: GroupLabels = {};
  for (const name of groupings)
    if (query.groupBy.includes(name)) labels[name] = row[columnsOf[name]] as string | number;
  return labels;
}

export const sumValues: RawBuilder<unknown> = sql.join(
  sumColumns.map((name) => {
    return sql`cast(sum(${sql.ref(`t.${name}`)}) as double precision) as ${sql.ref(name)}`;
  }),
);

export function addSums(into: InvocationSums, row: Row): void {
  for (const name of Object.keys(into) as (keyof InvocationSums)[])
    into[name] += row[sumColumnOf[name]] as number;
}
