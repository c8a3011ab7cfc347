import Type, { type Static } from "typebox";
import { NAME_PATTERN, outcomes } from "./limits.ts";
import { closed, moment, nullable, oneOf, wholePageOf } from "./shapes.ts";

const name = Type.String({ pattern: NAME_PATTERN });

export const ScheduleParams = closed({ name, schedule: name });

const lastRun = closed({
  dueAt: moment("That it was for"),
  startedAt: moment("When it was begun"),
  invocationId: Type.String(),
  outcome: nullable(
    oneOf(outcomes),
    "As of the invocation; null: it goes on, or its end is not known yet",
  ),
});

export const ScheduleView = closed(
  {
    name,
    cron: Type.String(),
    timeZone: Type.String(),
    enabled: Type.Boolean(),
    description: Type.String({
      description: "`cron` in English words; where there are none, `cron` itself",
    }),
    nextRunAt: nullable(
      moment("The next due moment"),
      "null: it is not enabled, or never comes due",
    ),
    lastRun: nullable(lastRun, "null: no due moment of it was ever run. Runs by hand are not told"),
  },
  "Schedule",
);
export type ScheduleView = Static<typeof ScheduleView>;

export const SchedulePage = wholePageOf(ScheduleView, "SchedulePage");
