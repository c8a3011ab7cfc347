import type { Findings } from "../findings.ts";
import type { ImportedFunction } from "../imported.ts";
import { type Known, type KnownMap, isKnownMap } from "../known-values.ts";
import { Unknown } from "../open-text.ts";
import { scheduleOf } from "./events.ts";

/** A resource that calls functions at certain times, as CloudFormation has it beside them. */
export interface ScheduleResource {
  name: string;
  properties: KnownMap;
}

/** What of a schedule stands in its target here, and beside the expression in events of functions. */
const ofTarget = ["Input", "RetryPolicy", "DeadLetterConfig"];

/** Whether it is one. A rule that waits for events is none. */
export function isScheduleResource(type: string, properties: KnownMap): boolean {
  if (type === "AWS::Scheduler::Schedule") return true;
  return type === "AWS::Events::Rule" && properties.ScheduleExpression !== undefined;
}

/** Gives the schedule to each function that it calls; what else it calls is told. */
export function takeSchedule(
  { name, properties }: ScheduleResource,
  functionOf: (resource: string) => ImportedFunction | undefined,
  findings: Findings,
): void {
  const place = `Resources.${name}`;
  const targets = Array.isArray(properties.Targets) ? properties.Targets : [properties.Target];
  for (const target of targets) {
    const parts: KnownMap = isKnownMap(target) ? target : {};
    const { Arn, InputPath, InputTransformer } = parts;
    const fn = functionOf(resourceOf(Arn));
    if (fn === undefined) {
      findings.leave(place, "calls what is no function that came over from this template");
      continue;
    }
    if (InputPath !== undefined || InputTransformer !== undefined)
      findings.leave(place, "InputPath and InputTransformer: the function gets the event as it is");
    const given: KnownMap = { ...properties };
    for (const member of ofTarget) if (parts[member] !== undefined) given[member] = parts[member];
    const schedule = scheduleOf(given, { name, place }, findings);
    if (schedule !== null) fn.schedules.push(schedule);
  }
}

/** `!GetAtt Report.Arn` -> `Report`; empty where it is no such attribute. */
function resourceOf(arn: Known | undefined): string {
  if (!(arn instanceof Unknown)) return "";
  return /^!GetAtt (\w+)\.Arn$/.exec(arn.expression)?.[1] ?? "";
}
