import { CostQuery, CostView } from "@isola/api/cost";
import type { Costs } from "../cost/costs.ts";
import { type ControlApp, type ControlContext, answers } from "./context.ts";
import { projectOf } from "./request-policy.ts";
import { isoTime } from "./function-view.ts";
import { problem } from "@isola/api/explain";
import { invalidRequest } from "./validation.ts";

export function registerCost(app: ControlApp, { costs, store }: ControlContext): void {
  app.get(
    "/api/v1/cost",
    {
      config: { policy: { scope: "read", reach: "project" } },
      schema: {
        tags: ["cost"],
        summary:
          "What the calls of functions cost on this machine, and at a provider by its price list",
        description: "docs/cost.md has the formulas.",
        querystring: CostQuery,
        response: answers({ 200: CostView }),
      },
    },
    async (request) => {
      const { function: functionName, since, until, comparison } = request.query;
      const project = projectOf(request);
      if (since !== undefined && until !== undefined && since > until)
        throw invalidRequest([problem("query.since", "a time before until", since)]);
      if (functionName !== undefined) await store.getFunction(project, functionName);
      return costView(costs, {
        project,
        ...(functionName !== undefined && { functionName }),
        ...(since !== undefined && { since }),
        ...(until !== undefined && { until }),
        ...(comparison !== undefined && { comparison }),
      });
    },
  );
}

async function costView(costs: Costs, asked: Parameters<Costs["report"]>[0]): Promise<CostView> {
  const { model, list, recordsKeptHours } = costs.options;
  const { machine, since, until, functions, total, comparison } = await costs.report(asked);
  const { currency, ...paid } = model;
  const { perCpuSecond, perGbSecond } = machine;
  const { provider, region, date, source, note } = list;
  return {
    currency,
    machine: { ...paid, perCpuSecond, perGbSecond },
    priceList: { provider, region, currency: list.currency, date, source, note },
    since: isoTime(since),
    until: isoTime(until),
    recordsKeptHours,
    functions: functions.map(({ functionName, ...cost }) => ({ function: functionName, ...cost })),
    total,
    comparison: comparison && {
      id: comparison.row.id,
      function: comparison.row.functionName,
      revision: comparison.row.revision,
      memoryMiB: comparison.row.subject.memoryMiB,
      drivers: comparison.drivers,
    },
  };
}
