import { randomUUID } from "node:crypto";

export interface EventAsked {
  project: string;
  functionName: string;
  schedule: string;
  /** Unix ms. */
  due: number;
}

/**
 * What a function gets from a schedule that names no event: a scheduled event as EventBridge sends it to AWS Lambda ("Invoke a Lambda function on a schedule"), which code that comes
 * from there reads; `isola samples` has one.
 */
export function scheduledEvent({ project, functionName, schedule, due }: EventAsked) {
  return {
    version: "0",
    id: randomUUID(),
    "detail-type": "Scheduled Event",
    source: "aws.events",
    account: "",
    time: new Date(due).toISOString().replace(/\.\d+Z$/, "Z"),
    region: "local",
    resources: [`arn:isola:events:local:${project}:rule/${functionName}/${schedule}`],
    detail: {},
  };
}
