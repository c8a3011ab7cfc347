import { metricLimits } from "@isola/api/limits";
import { MetricsQueryString, MetricsView } from "@isola/api/metrics";
import type { MetricName } from "../metrics/catalogue.ts";
import { DAY, HOUR, MINUTE } from "../metrics/resolutions.ts";
import type { MetricsKept, MetricsQuery } from "../store/metrics-store.ts";
import type { Store } from "../store/store.ts";
import { type ControlApp, type ControlContext, answers } from "./context.ts";
import type { Caller } from "../auth/authenticator.ts";
import { callerOf, refuseForeign } from "./request-policy.ts";
import { isoTime } from "./function-view.ts";
import { MINUTE_MS, earlier, metricsAsked, stepsOf } from "./metrics-query.ts";
import { leadingFunctions, readMetrics } from "./metrics-reader.ts";
import { type Period, groupsOf, viewsOf } from "./metrics-view.ts";

export function registerMetrics(app: ControlApp, context: ControlContext): void {
  const { store, clock, settings } = context;
  app.get(
    "/api/v1/metrics",
    {
      config: { policy: { scope: "read", reach: "shared" } },
      schema: {
        tags: ["metrics"],
        summary: "What was counted and measured, by steps of time and groups",
        querystring: MetricsQueryString,
        response: answers({ 200: MetricsView }),
      },
    },
    async (request) => {
      const asked = ofCaller(request.query, callerOf(request));
      const nowMs = clock.wall();
      const { names, query } = metricsAsked(asked, nowMs);
      const limit = asked.limit ?? metricLimits.functionsDefault;
      const leading = await leadingOf(store, query, { metric: names[0] as MetricName, limit });
      const functionNames = leading?.functions ?? query.filter.functionNames;
      const filter = { ...query.filter, ...(functionNames && { functionNames }) };
      const read = async (period: MetricsQuery): Promise<Period> => ({
        ...(await readMetrics(store, period, names)),
        firstStep: firstStepOf(period, settings.metricsKept, nowMs),
      });
      const period = await read({ ...query, filter });
      const before = asked.compare && (await read(earlier({ ...query, filter })));
      return {
        since: isoTime(query.from * MINUTE_MS),
        until: isoTime(query.until * MINUTE_MS),
        stepMs: query.stepMinutes * MINUTE_MS,
        resolutionMs: query.resolution * MINUTE_MS,
        steps: stepsOf(query),
        groups: groupsOf(query, leading?.functions ?? null, period).map((group) => ({
          labels: group.labels,
          metrics: names.flatMap((name) => viewsOf(name, group, period, before ?? null)),
        })),
        isCut: leading?.isCut ?? false,
      };
    },
  );
}

/** A key of one project sees that alone. Throws `not_found` for another. */
function ofCaller(query: MetricsQueryString, caller: Caller): MetricsQueryString {
  if (query.project !== undefined) refuseForeign(caller, query.project);
  return caller.project === null ? query : { ...query, project: caller.project };
}

/** Null: not grouped by function. */
async function leadingOf(
  store: Store,
  query: MetricsQuery,
  { metric, limit }: { metric: MetricName; limit: number },
) {
  if (!query.groupBy.includes("function")) return null;
  const names = await leadingFunctions(store, query, { metric, limit });
  return { functions: names.slice(0, limit), isCut: names.length > limit };
}

/** Of what was dropped because of its age nothing is known. */
function firstStepOf(query: MetricsQuery, kept: MetricsKept, nowMs: number): number {
  const keptMinutes = {
    [MINUTE]: kept.minutesKeptMinutes,
    [HOUR]: kept.hoursKeptMinutes,
    [DAY]: kept.daysKeptMinutes,
  }[query.resolution];
  const knownFrom = Math.floor(nowMs / MINUTE_MS) - keptMinutes;
  return Math.max(0, Math.ceil((knownFrom - query.from) / query.stepMinutes));
}
