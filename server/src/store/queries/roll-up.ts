import { setImmediate } from "node:timers/promises";
import { type Kysely, type RawBuilder, sql } from "kysely";
import { DAY, HOUR, MINUTE } from "../../metrics/resolutions.ts";
import type { RecordTables } from "../tables.ts";
import { sumColumns } from "./metric-rows.ts";

type Db = Kysely<RecordTables>;

/** Added up in one transaction, between two turns of the event loop. */
const SERIES_AT_ONCE = 20;
/** An hour, and a day, is added up so long after its end; what comes later is added to it. */
const LATE_MINUTES = 2;

interface Step {
  from: number;
  to: number;
  mark: "hours_until" | "days_until";
}
const steps: readonly Step[] = [
  { from: MINUTE, to: HOUR, mark: "hours_until" },
  { from: HOUR, to: DAY, mark: "days_until" },
];

/**
 * Adds minutes up to hours and hours to days, each once its end has passed; says for how many series. Reading the mark of a series and moving it must exclude each other, as
 * transactions of one writer do.
 */
export async function rollUp(db: Db, nowMs: number): Promise<number> {
  const now = Math.floor(nowMs / 60_000) - LATE_MINUTES;
  let rolled = 0;
  for (const step of steps) {
    const until = Math.floor(now / step.to) * step.to;
    for (;;) {
      const count = await db.transaction().execute((trx) => rollSome(trx, step, until));
      rolled += count;
      if (count < SERIES_AT_ONCE) break;
      await setImmediate();
    }
  }
  return rolled;
}

async function rollSome(db: Db, step: Step, until: number): Promise<number> {
  const rows = await db
    .selectFrom("metric_series")
    .select("id")
    .where(step.mark, "<", until)
    .orderBy("id")
    .limit(SERIES_AT_ONCE)
    .execute();
  if (rows.length === 0) return 0;
  const ids = rows.map(({ id }) => id);
  const what = { step, ids, until };
  await insertSums(db, what);
  await insertHistograms(db, what);
  await insertMeasures(db, what);
  await db
    .updateTable("metric_series")
    .set({ [step.mark]: until })
    .where("id", "in", ids)
    .execute();
  return rows.length;
}

interface What {
  step: Step;
  ids: readonly number[];
  until: number;
}

/** Where one of the coarser rows begins. */
function beginOf({ to }: Step): RawBuilder<number> {
  const length = sql.raw<number>(String(to));
  return sql`t.at / ${length} * ${length}`;
}

function finerRows(table: keyof RecordTables, { step, ids, until }: What): RawBuilder<unknown> {
  return sql`metric_series s cross join ${sql.table(table)} t
    where s.id in (${sql.join(ids)}) and t.series = s.id and t.resolution = ${step.from}
    and t.at >= ${sql.ref(`s.${step.mark}`)} and t.at < ${until}`;
}

async function insertSums(db: Db, what: What): Promise<void> {
  const begin = beginOf(what.step);
  const columns = sumColumns.map((name) => sql.ref(name));
  const sums = sumColumns.map((name) => sql`sum(${sql.ref(`t.${name}`)})`);
  await sql`insert into invocation_sums (resolution, series, at, ${sql.join(columns)})
    select ${sql.raw(String(what.step.to))}, t.series, ${begin}, ${sql.join(sums)}
    from ${finerRows("invocation_sums", what)} group by t.series, ${begin}`.execute(db);
}

async function insertHistograms(db: Db, what: What): Promise<void> {
  const begin = beginOf(what.step);
  await sql`insert into invocation_histograms (resolution, series, at, distribution, bucket, invocations)
    select ${sql.raw(String(what.step.to))}, t.series, ${begin}, t.distribution, t.bucket, sum(t.invocations)
    from ${finerRows("invocation_histograms", what)}
    group by t.series, ${begin}, t.distribution, t.bucket`.execute(db);
}

async function insertMeasures(db: Db, what: What): Promise<void> {
  const begin = beginOf(what.step);
  await sql`insert into measures (resolution, series, at, measure, detail, total, most)
    select ${sql.raw(String(what.step.to))}, t.series, ${begin}, t.measure, t.detail, sum(t.total), max(t.most)
    from ${finerRows("measures", what)} group by t.series, ${begin}, t.measure, t.detail`.execute(
    db,
  );
}
