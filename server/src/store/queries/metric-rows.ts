import { type InsertQueryBuilder, sql } from "kysely";
import type { InvocationSums } from "../../metrics/invocation-sums.ts";
import { MINUTE } from "../../metrics/resolutions.ts";
import type { RecordTables } from "../tables.ts";
import { ManyRows } from "./many-rows.ts";

type Table = "invocation_sums" | "invocation_histograms" | "measures";
type Tables = RecordTables;

export const sumColumnOf = {
  invocations: "invocations",
  durationMicros: "duration_micros",
  queueMicros: "queue_micros",
  runs: "runs",
  runMicros: "run_micros",
  inits: "inits",
  initMicros: "init_micros",
  startMicros: "start_micros",
  requestBytes: "request_bytes",
  responseBytes: "response_bytes",
  gbSeconds: "gb_seconds",
  kills: "kills",
  killMicros: "kill_micros",
  cpuKnown: "cpu_known",
  cpuMicros: "cpu_micros",
} as const satisfies Record<keyof InvocationSums, keyof Tables["invocation_sums"]>;
type SumColumn = (typeof sumColumnOf)[keyof InvocationSums];
export const sumColumns = Object.values(sumColumnOf);

export function sumsRowOf(sums: InvocationSums): Record<SumColumn, number> {
  const names = Object.keys(sumColumnOf) as (keyof InvocationSums)[];
  return Object.fromEntries(names.map((name) => [sumColumnOf[name], sums[name]])) as Record<
    SumColumn,
    number
  >;
}
const keyColumns = ["resolution", "series", "at"] as const;
const histogramKey = ["resolution", "series", "distribution", "at", "bucket"] as const;
const measureKey = [...keyColumns, "measure", "detail"] as const;

/** Each adds its rows to those that are there. */
export const sumRows = new ManyRows<Tables, Tables["invocation_sums"]>(
  [...keyColumns, ...sumColumns],
  (db, rows) =>
    addOnConflict(db.insertInto("invocation_sums").values(rows), {
      table: "invocation_sums",
      key: keyColumns,
      added: sumColumns,
    }),
);

export const histogramRows = new ManyRows<Tables, Tables["invocation_histograms"]>(
  [...histogramKey, "invocations"],
  (db, rows) =>
    addOnConflict(db.insertInto("invocation_histograms").values(rows), {
      table: "invocation_histograms",
      key: histogramKey,
      added: ["invocations"],
    }),
);

export const measureRows = new ManyRows<Tables, Tables["measures"]>(
  [...measureKey, "total", "most"],
  (db, rows) =>
    db
      .insertInto("measures")
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(measureKey).doUpdateSet((eb) => ({
          total: eb("measures.total", "+", eb.ref("excluded.total")),
          most: sql<number>`case when excluded.most > measures.most then excluded.most else measures.most end`,
        })),
      ),
);

/** Rows of one key as one, as a statement may meet each key once. Minutes have one each. */
export function merged<R extends { resolution: number }>(
  rows: readonly R[],
  key: readonly (keyof R)[],
): R[] {
  const minutes = rows.filter(({ resolution }) => resolution === MINUTE);
  const byKey = new Map<string, R>();
  for (const row of rows) {
    if (row.resolution === MINUTE) continue;
    const text = key.map((name) => row[name]).join("\n");
    const known = byKey.get(text);
    if (known === undefined) byKey.set(text, { ...row });
    else add(known, row, key);
  }
  return [...minutes, ...byKey.values()];
}

function add<R extends object>(into: R, row: R, key: readonly (keyof R)[]): void {
  for (const name of Object.keys(row) as (keyof R)[]) {
    if (key.includes(name)) continue;
    const [a, b] = [into[name] as number, row[name] as number];
    into[name] = (name === "most" ? Math.max(a, b) : a + b) as R[keyof R];
  }
}

export const keysOf = { sums: keyColumns, histograms: histogramKey, measures: measureKey };

function addOnConflict<T extends Table, O>(
  insert: InsertQueryBuilder<Tables, T, O>,
  given: { table: T; key: readonly string[]; added: readonly string[] },
) {
  const { table, key, added } = given;
  return insert.onConflict((conflict) =>
    conflict
      .columns(key as never)
      .doUpdateSet((() =>
        Object.fromEntries(
          added.map((name) => [
            name,
            sql`${sql.ref(`${table}.${name}`)} + ${sql.ref(`excluded.${name}`)}`,
          ]),
        )) as never),
  );
}
