import { FunctionParams } from "@isola/api/functions";
import { UnsafeHeaders } from "@isola/api/headers";
import { Invoked } from "@isola/api/invocations";
import { ProjectQuery } from "@isola/api/projects";
import { SchedulePage, ScheduleParams, type ScheduleView } from "@isola/api/schedules";
import type { Schedule } from "../domain/function.ts";
import { describeCron } from "../schedules/cron.ts";
import { paramsOf } from "../schedules/invoke-schedule.ts";
import type { ScheduleRow } from "../store/schedule-store.ts";
import { type ControlApp, type ControlContext, answers } from "./context.ts";
import { isoTime } from "./function-view.ts";
import { invokedView } from "./invocation-view.ts";
import { projectOf } from "./request-policy.ts";
import { untilGone } from "./until-gone.ts";

const tags = ["schedules"];

export function registerSchedules(app: ControlApp, context: ControlContext): void {
  registerList(app, context);
  registerRun(app, context);
}

function registerList(app: ControlApp, { store, schedules }: ControlContext): void {
  app.get(
    "/api/v1/functions/:name/schedules",
    {
      config: { policy: { scope: "read", reach: "project" } },
      schema: {
        tags,
        summary: "List the schedules of a function, each with its next due moment and its last run",
        description: "Those of the live revision, in the order of its setting `schedules`.",
        params: FunctionParams,
        querystring: ProjectQuery,
        response: answers({ 200: SchedulePage }),
      },
    },
    async (request) => {
      const fn = await store.getFunction(projectOf(request), request.params.name);
      const { settings } = await store.getRevision(fn.id, fn.liveRevision);
      const rows = await store.listScheduleRuns(fn.id);
      const items = settings.schedules.map((one) => {
        const row = rows.find(({ schedule }) => schedule === one.name);
        return scheduleView(one, schedules.dueOf(fn, one.name), row);
      });
      return { items, nextCursor: null };
    },
  );
}

function registerRun(app: ControlApp, { store, gateway, clock }: ControlContext): void {
  app.post(
    "/api/v1/functions/:name/schedules/:schedule/run",
    {
      config: { policy: { scope: "invoke", reach: "project" } },
      schema: {
        tags,
        summary:
          "Run a schedule now; answers with the result, logs and phases, whatever the outcome",
        description:
          "With its event, and now as the due moment, also where it is not enabled. It is an invocation as any other: neither the next due moment nor the last run changes.",
        params: ScheduleParams,
        querystring: ProjectQuery,
        headers: UnsafeHeaders,
        response: answers({ 200: Invoked }),
      },
    },
    async (request, reply) => {
      const { name, schedule } = request.params;
      const owner = { project: projectOf(request), name };
      const signal = untilGone(reply);
      const params = await paramsOf(store, { owner, schedule, due: clock.wall() });
      return invokedView(await gateway.request("invoke", params, signal));
    },
  );
}

function scheduleView(
  { name, cron, timeZone, enabled }: Schedule,
  due: number | null,
  row: ScheduleRow | undefined,
): ScheduleView {
  return {
    ...{ name, cron, timeZone, enabled },
    description: describeCron(cron),
    nextRunAt: due === null ? null : isoTime(due),
    lastRun: lastRunView(row?.last ?? null),
  };
}

function lastRunView(last: ScheduleRow["last"]): ScheduleView["lastRun"] {
  if (last === null) return null;
  const { dueAt, startedAt, invocationId, outcome } = last;
  return { dueAt: isoTime(dueAt), startedAt: isoTime(startedAt), invocationId, outcome };
}
