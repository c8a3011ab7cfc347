import { ApiError } from "@isola/client";
import { type Result, exitCodes } from "../command.ts";
import type { Outcome } from "./apply-all.ts";
import type { Deployed } from "./apply.ts";
import { masked, shownChange } from "./change.ts";
import type { Plan } from "./plan.ts";

/** What differs, for a person. */
export function shownPlan({ name, action, changes, live, unseen }: Plan, show: boolean): string {
  const note =
    unseen === 0 ? [] : [`  (${unseen} values of env not compared: the key may only read)`];
  if (action === "none") return [`${name}: as deployed`, ...note].join("\n");
  if (action === "delete") return `${name}: delete, with its ${live?.latestRevision} revisions`;
  const lines = changes.flatMap((change) => shownChange(masked(change, show), action === "create"));
  return [`${name}: ${action}`, ...lines, ...note].join("\n");
}

export function driftResult(plans: readonly Plan[], showsValues: boolean): Result {
  const functions = plans.map(({ name, action, changes }) => ({
    name,
    action,
    changes: changes.map((change) => masked(change, showsValues)),
  }));
  const differs = plans.some(({ action }) => action !== "none");
  return {
    json: { functions },
    text: plans.map((plan) => shownPlan(plan, showsValues)).join("\n"),
    exitCode: differs ? exitCodes.drift : exitCodes.ok,
  };
}

/** What was done, what failed, and what was not tried. */
export function deployResult(
  outcomes: readonly Outcome[],
  options: { showsValues: boolean; isInterrupted: boolean },
): Result {
  const isWhole = outcomes.every(({ state }) => state === "done");
  const lines = outcomes.map(shownOutcome);
  if (!isWhole) lines.push("Deploy again to finish: what is done already is left as it is.");
  return {
    json: { functions: outcomes.map((outcome) => jsonOf(outcome, options.showsValues)) },
    text: lines.join("\n"),
    exitCode: exitCodeOf(outcomes, options.isInterrupted),
  };
}

function exitCodeOf(outcomes: readonly Outcome[], isInterrupted: boolean): number {
  if (outcomes.every(({ state }) => state === "done")) return exitCodes.ok;
  if (isInterrupted) return exitCodes.interrupted;
  const isGone = outcomes.some(
    (one) => "error" in one && one.error instanceof ApiError && one.error.code === "unreachable",
  );
  return isGone ? exitCodes.unreachable : exitCodes.failed;
}

function shownOutcome(outcome: Outcome): string {
  const { name } = outcome.plan;
  if (outcome.state === "done") return shownDeployed(outcome.deployed);
  if (outcome.state === "not tried") return `${name}: not tried: ${outcome.reason}`;
  const message = messageOf(outcome.error).replaceAll("\n", "\n  ");
  if (outcome.state === "failed") return `${name}: failed: ${message}`;
  return `${name}: it is not known whether it was carried out: ${message}`;
}

function shownDeployed({ name, action, revision, url, applied }: Deployed): string {
  const later = applied ? "" : " (stored; reaches the gateway when that answers again)";
  if (action === "deleted") return `${name}: deleted${later}`;
  return `${name}: ${action}, revision ${revision}, ${url}${later}`;
}

function jsonOf(outcome: Outcome, showsValues: boolean): unknown {
  const { name } = outcome.plan;
  if (outcome.state === "done") {
    const { changes, ...rest } = outcome.deployed;
    return { ...rest, changes: changes.map((change) => masked(change, showsValues)) };
  }
  if (outcome.state === "not tried") return { name, action: "notTried", reason: outcome.reason };
  const { error } = outcome;
  const code = error instanceof ApiError ? error.code : "failed";
  const details = error instanceof ApiError ? error.details : [];
  const action = outcome.state === "failed" ? "failed" : "unknown";
  return { name, action, error: { code, message: messageOf(error), details } };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
