import { ApiError } from "@isola/client";
import type { Deployed } from "./apply.ts";
import type { Plan } from "./plan.ts";

/** What became of one plan. */
export type Outcome =
  | { plan: Plan; state: "done"; deployed: Deployed }
  | { plan: Plan; state: "failed"; error: unknown }
  /** The answer did not come: it may have been carried out. */
  | { plan: Plan; state: "unknown"; error: unknown }
  | { plan: Plan; state: "not tried"; reason: string };

type Apply = (plan: Plan) => Promise<Deployed>;

/**
 * Carries out plans one after the other. One that fails does not hold up the others, but for deletes, which then are left. A delete whose route another function takes comes first; what a
 * route of another function stood in the way of is tried once more after the others. Ends early when the server is gone or Ctrl-C was pressed. Never rejects.
 */
export async function applyAll(
  plans: readonly Plan[],
  apply: Apply,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const outcomes = new Map<Plan, Outcome>();
  let stopped: string | null = null;
  const carryOut = async (plan: Plan) => {
    if (signal.aborted) stopped ??= "Ctrl-C";
    if (stopped !== null) {
      outcomes.set(plan, { plan, state: "not tried", reason: stopped });
      return;
    }
    try {
      outcomes.set(plan, { plan, state: "done", deployed: await apply(plan) });
    } catch (error) {
      const isGone = error instanceof ApiError && error.code === "unreachable";
      const state = isGone || signal.aborted ? "unknown" : "failed";
      outcomes.set(plan, { plan, state, error });
      if (isGone) stopped = "the server did not answer";
    }
  };
  const deletes = plans.filter(({ action }) => action === "delete");
  const changes = plans.filter(({ action }) => action !== "delete");
  const routes = new Set(changes.map(({ settings }) => routeOf(settings)));
  const inTheWay = deletes.filter(({ live }) => live?.route && routes.has(live.route.path));
  for (const plan of [...inTheWay, ...changes]) await carryOut(plan);
  const again = changes.filter((plan) => isConflict(outcomes.get(plan)));
  const isProgress = changes.some((plan) => outcomes.get(plan)?.state === "done");
  if (isProgress) for (const plan of again) await carryOut(plan);
  const isWhole = [...outcomes.values()].every(({ state }) => state === "done");
  for (const plan of deletes.filter((one) => !inTheWay.includes(one))) {
    if (isWhole || stopped !== null) await carryOut(plan);
    else outcomes.set(plan, { plan, state: "not tried", reason: "something else has failed" });
  }
  return plans.map((plan) => outcomes.get(plan) as Outcome);
}

function routeOf(settings: Record<string, unknown>): unknown {
  return (settings.route as { path?: unknown } | null | undefined)?.path;
}

function isConflict(outcome: Outcome | undefined): boolean {
  if (outcome?.state !== "failed") return false;
  return outcome.error instanceof ApiError && outcome.error.code === "route_conflict";
}
