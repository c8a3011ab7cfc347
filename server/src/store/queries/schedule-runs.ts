import { type Kysely, type Selectable, sql } from "kysely";
import type { ScheduleKey, ScheduleRow, ScheduleRun, ScheduleStore } from "../schedule-store.ts";
import type { DeploymentTables } from "../tables.ts";

type Db = Kysely<DeploymentTables>;

export function beginScheduleRuns(
  db: Db,
  runs: readonly Omit<ScheduleRun, "outcome">[],
  wrongFrom: number,
): Promise<ScheduleKey[]> {
  return db.transaction().execute(async (trx) => {
    const begun: ScheduleKey[] = [];
    for (const run of runs) if (await begin(trx, run, wrongFrom)) begun.push(keyOf(run));
    return begun;
  });
}

/** Nothing is written where the function is no more. */
async function begin(
  db: Db,
  run: Omit<ScheduleRun, "outcome">,
  wrongFrom: number,
): Promise<boolean> {
  const { functionId, schedule, dueAt } = run;
  const values = {
    handled_until: dueAt,
    due_at: dueAt,
    started_at: run.startedAt,
    invocation_id: run.invocationId,
    outcome: null,
  };
  const written = await insertFor(db, { functionId, schedule }, values)
    .onConflict((conflict) =>
      conflict
        .columns(["function_id", "schedule"])
        .doUpdateSet(values)
        .where((eb) =>
          eb.or([
            eb("schedule_runs.handled_until", "<", dueAt),
            eb("schedule_runs.handled_until", ">", wrongFrom),
          ]),
        ),
    )
    .returning("schedule")
    .executeTakeFirst();
  return written !== undefined;
}

type RunColumns = Omit<Selectable<DeploymentTables["schedule_runs"]>, "function_id" | "schedule">;

function insertFor(db: Db, { functionId, schedule }: ScheduleKey, values: RunColumns) {
  const row = db
    .selectFrom("functions")
    .where("id", "=", functionId)
    .select([
      "functions.id as function_id",
      sql.val(schedule).as("schedule"),
      sql.val(values.handled_until).as("handled_until"),
      sql.val(values.due_at).as("due_at"),
      sql.val(values.started_at).as("started_at"),
      sql.val(values.invocation_id).as("invocation_id"),
      sql.val(values.outcome).as("outcome"),
    ]);
  return db
    .insertInto("schedule_runs")
    .columns([
      ...(["function_id", "schedule", "handled_until", "due_at"] as const),
      ...(["started_at", "invocation_id", "outcome"] as const),
    ])
    .expression(row);
}

export function noteSchedules(
  db: Db,
  { ended, passed }: Parameters<ScheduleStore["noteSchedules"]>[0],
): Promise<void> {
  return db.transaction().execute(async (trx) => {
    for (const { functionId, schedule, dueAt, outcome } of ended)
      await trx
        .updateTable("schedule_runs")
        .set({ outcome })
        .where("function_id", "=", functionId)
        .where("schedule", "=", schedule)
        .where("due_at", "=", dueAt)
        .execute();
    for (const { until, ...key } of passed) await pass(trx, key, until);
  });
}

async function pass(db: Db, key: ScheduleKey, until: number): Promise<void> {
  const never = { due_at: null, started_at: null, invocation_id: null, outcome: null };
  await insertFor(db, key, { handled_until: until, ...never })
    .onConflict((conflict) =>
      conflict
        .columns(["function_id", "schedule"])
        .doUpdateSet({ handled_until: until })
        .where("schedule_runs.handled_until", "<", until),
    )
    .execute();
}

export async function listScheduleRuns(db: Db, functionId?: string): Promise<ScheduleRow[]> {
  const rows = await db
    .selectFrom("schedule_runs")
    .selectAll()
    .$if(functionId !== undefined, (query) => query.where("function_id", "=", functionId as string))
    .execute();
  return rows.map(toScheduleRow);
}

export async function forgetScheduleRuns(
  db: Db,
  functionId: string,
  kept: readonly string[],
): Promise<void> {
  await db
    .deleteFrom("schedule_runs")
    .where("function_id", "=", functionId)
    .$if(kept.length > 0, (query) => query.where("schedule", "not in", [...kept]))
    .execute();
}

function keyOf({ functionId, schedule }: ScheduleKey): ScheduleKey {
  return { functionId, schedule };
}

function toScheduleRow(row: Selectable<DeploymentTables["schedule_runs"]>): ScheduleRow {
  const { due_at: dueAt, started_at: startedAt, invocation_id: invocationId, outcome } = row;
  const hasRun = dueAt !== null && startedAt !== null && invocationId !== null;
  return {
    functionId: row.function_id,
    schedule: row.schedule,
    handledUntil: row.handled_until,
    last: hasRun ? { dueAt, startedAt, invocationId, outcome } : null,
  };
}
