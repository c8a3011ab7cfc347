import type { StartComparison } from "@isola/api/comparisons";
import {
  type ComparisonParameters,
  PLANNED_MS_MAX,
  type MixName,
  comparisonLimits,
  mixNames,
  plannedMsOf,
} from "../domain/comparison.ts";
import { type DriverName, driverNames } from "../domain/function.ts";
import type { ErrorDetail } from "../errors.ts";
import { isObject, problem } from "@isola/api/explain";
import { checkInvoke } from "./invoke-params.ts";
import { invalidRequest } from "./validation.ts";

/** What the schema of a comparison cannot say. */
export function checkComparison(body: unknown): ErrorDetail[] {
  if (!isObject(body)) return [];
  const { event, request } = body;
  const isGiven = Object.hasOwn(body, "event") || Object.hasOwn(body, "request");
  const call = Object.hasOwn(body, "event") ? { event } : {};
  const details = isGiven
    ? checkInvoke({ ...call, ...(Object.hasOwn(body, "request") && { request }) })
    : [];
  // An answer to HEAD has the length of one that does not come.
  if (isObject(request) && request.method === "HEAD")
    details.push(problem("request.method", "another method than HEAD", "HEAD"));
  return details;
}

/** With defaults filled in. Throws `invalid_request` where that would take too long. */
export function comparisonParameters(body: StartComparison): Omit<ComparisonParameters, "call"> {
  const limits = comparisonLimits;
  const parameters = {
    drivers: [...new Set(body.drivers ?? driverNames)] as DriverName[],
    repeats: body.repeats ?? limits.repeats.default,
    durationMs: body.durationMs ?? limits.durationMs.default,
    coldStarts: body.coldStarts ?? limits.coldStarts.default,
    connections: body.connections ?? limits.connections.default,
    starts: body.starts ?? limits.starts.default,
    mixes: [...new Set(body.mixes ?? mixNames)] as MixName[],
  };
  const plannedMs = plannedMsOf(parameters);
  if (plannedMs <= PLANNED_MS_MAX) return parameters;
  const expected = `what takes at most ${PLANNED_MS_MAX / 60_000} minutes with these drivers, repeats and mixes`;
  throw invalidRequest([
    problem("durationMs", expected, `${Math.ceil(plannedMs / 60_000)} minutes`),
  ]);
}
