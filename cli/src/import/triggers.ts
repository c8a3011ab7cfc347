import type { Findings } from "./findings.ts";
import type { Endpoint } from "./imported.ts";
import { type Known, type KnownMap, plainOf, shownValue } from "./known-values.ts";

/** What to do instead of a trigger, by the names that Serverless Framework (lower case) and SAM give it. */
const instead: Record<string, string> = {
  sqs: "there are no queues: a small consumer beside Isola reads the queue and calls the function (`isola invoke`, or the API)",
  sns: "SNS can call the function's route by HTTPS, where it is reachable from there",
  s3: "there is no object storage: what stores the object calls the function's route",
  stream: "there are no streams: a consumer beside Isola reads it and calls the function",
  dynamodb: "there are no streams: a consumer beside Isola reads it and calls the function",
  kinesis: "there are no streams: a consumer beside Isola reads it and calls the function",
  kafka: "there are no streams: a consumer beside Isola reads it and calls the function",
  msk: "there are no streams: a consumer beside Isola reads it and calls the function",
  mq: "there are no queues: a consumer beside Isola reads it and calls the function",
  activemq: "there are no queues: a consumer beside Isola reads it and calls the function",
  rabbitmq: "there are no queues: a consumer beside Isola reads it and calls the function",
  websocket: "WebSocket is refused: server-sent events of a `fetch` function go one way",
  eventbridge: "there is no event bus: who sends the event calls the function",
  eventbridgerule: "there is no event bus: who sends the event calls the function",
  cloudwatchevent: "there is no event bus: who sends the event calls the function",
  cloudwatchlog:
    "there are no log subscriptions: `isola logs -f --json` gives the lines to a program",
  cloudwatchlogs:
    "there are no log subscriptions: `isola logs -f --json` gives the lines to a program",
  alexaskill: "Alexa can call the function's route by HTTPS",
  alexasmarthome: "Alexa can call the function's route by HTTPS",
  alexahomeskill: "Alexa can call the function's route by HTTPS",
  alb: "the function's route takes the place of the load balancer's rule: name it in isola.yaml",
  cloudfront: "a cache or proxy before the functions listener takes its place",
  cognito: "there are no user pools: who keeps the users calls the function",
  cognitouserpool: "there are no user pools: who keeps the users calls the function",
  iot: "there is no message broker: a consumer beside Isola calls the function",
  iotrule: "there is no message broker: a consumer beside Isola calls the function",
  documentdb: "there are no streams: a consumer beside Isola reads it and calls the function",
  selfmanagedkafka: "there are no streams: a consumer beside Isola reads it and calls the function",
};

export function leaveTrigger(kind: string, place: string, findings: Findings): void {
  const known = instead[kind.toLowerCase().replace(/event$/, "")] ?? instead[kind.toLowerCase()];
  findings.leave(
    place,
    known ?? `the trigger ${kind} has no equivalent: who sends it calls the function`,
  );
}

/** `GET`, `any`, `*` -> the methods of an endpoint. */
export function methodsOf(text: string): string[] {
  const method = text.toUpperCase();
  return method === "ANY" || method === "*" ? [] : [method];
}

/** `GET /users/{id}`, `*`, `$default`; null where it is none of these. */
export function endpointOf(text: string, place: string): Endpoint | null {
  const whole = text.trim();
  if (whole === "*" || whole === "$default") return { place, methods: [], path: "/{proxy+}" };
  const [, method, path] = /^([A-Za-z]+|\*)\s+(\S+)$/.exec(whole) ?? [];
  if (method === undefined || path === undefined) return null;
  return { place, methods: methodsOf(method), path: path === "*" ? "/{proxy+}" : path };
}

/** null: UTC, which is told where another was meant. */
export function timeZoneOf(
  value: Known | undefined,
  place: string,
  findings: Findings,
): string | null {
  if (value === undefined || value === null) return null;
  const zone = plainOf(value);
  if (zone === null) findings.leave(place, `${shownValue(value)} is not known here: UTC is taken`);
  return zone;
}

/** What a schedule's input in the words of AWS is, which is JSON as text; null, which is told: it is none. */
export function jsonIn(text: string, place: string, findings: Findings): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    findings.leave(place, "it is no JSON: the function gets what a scheduled event is");
    return null;
  }
}

/** Tells of those `members` of a schedule or its target that say what becomes of a run that failed. */
export function leaveRetries(
  given: KnownMap,
  members: readonly string[],
  place: string,
  findings: Findings,
): void {
  for (const member of members)
    if (given[member])
      findings.leave(
        `${place}.${member}`,
        "a scheduled run is never tried again, and one that failed is put nowhere: `isola events --kind schedule_failed` has it",
      );
}

/** Told once a file, as it holds for all of its functions. */
export function tellDifferences(
  source: string,
  { isRestApi, hasEndpoints }: { isRestApi: boolean; hasEndpoints: boolean },
  findings: Findings,
): void {
  if (isRestApi)
    findings.change(
      source,
      "events of REST APIs come in payload format 2.0 here: `httpMethod` is `requestContext.http.method`, `path` is `rawPath`, `resource` is `routeKey`",
    );
  if (hasEndpoints)
    findings.change(
      source,
      "`routeKey` is written as the route is (`GET /users/:id`), and `pathParameters` has no `proxy`",
    );
  findings.change(
    source,
    "functions reach no network; `network: internet` gives it to those with the driver docker",
  );
}

export const openToAll =
  "who may call was checked there and is not here: the route is open to all until the function checks, or a proxy before it";
