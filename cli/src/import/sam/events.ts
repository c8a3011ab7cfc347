import type { Findings } from "../findings.ts";
import type { Endpoint, Schedule } from "../imported.ts";
import {
  type Known,
  type KnownMap,
  flagOf,
  isKnownMap,
  plainOf,
  shownValue,
} from "../known-values.ts";
import {
  jsonIn,
  leaveRetries,
  leaveTrigger,
  methodsOf,
  openToAll,
  timeZoneOf,
} from "../triggers.ts";

const scheduleKinds = ["Schedule", "ScheduleV2"];

/** What calls a function. */
export function readEvents(
  events: Known | undefined,
  place: string,
  findings: Findings,
): { endpoints: Endpoint[]; schedules: Schedule[] } {
  const endpoints: Endpoint[] = [];
  const schedules: Schedule[] = [];
  for (const [name, event] of Object.entries(isKnownMap(events) ? events : {})) {
    const map = isKnownMap(event) ? event : {};
    const kind = plainOf(map.Type) ?? "";
    const properties = isKnownMap(map.Properties) ? map.Properties : {};
    const where = `${place}.Events.${name}.${kind}`;
    if (kind === "Api" || kind === "HttpApi") {
      const endpoint = endpointOf(properties, where, findings);
      if (endpoint !== null) endpoints.push(endpoint);
    } else if (scheduleKinds.includes(kind)) {
      const schedule = scheduleOf(properties, { name, place: where }, findings);
      if (schedule !== null) schedules.push(schedule);
    } else leaveTrigger(kind, where, findings);
  }
  return { endpoints, schedules };
}

function endpointOf(given: KnownMap, place: string, findings: Findings): Endpoint | null {
  const auth = isKnownMap(given.Auth) ? given.Auth : {};
  const isOpen = plainOf(auth.Authorizer) === "NONE";
  if (Object.keys(auth).length > 0 && !isOpen) findings.leave(`${place}.Auth`, openToAll);
  const isCatchAll = given.Path === undefined && place.endsWith(".HttpApi");
  const path = isCatchAll ? "/{proxy+}" : plainOf(given.Path);
  if (path === null || !path.startsWith("/")) {
    const isDefault = path === "$default";
    if (isDefault) return { place, methods: [], path: "/{proxy+}" };
    findings.leave(place, `its path is not known here: ${shownValue(given.Path)}`);
    return null;
  }
  const method = plainOf(given.Method) ?? "any";
  return {
    place,
    methods: methodsOf(method === "x-amazon-apigateway-any-method" ? "any" : method),
    path,
  };
}

/** null, which is told, where its expression is not known here. */
export function scheduleOf(
  given: KnownMap,
  { name, place }: { name: string; place: string },
  findings: Findings,
): Schedule | null {
  const expression = plainOf(given.Schedule ?? given.ScheduleExpression);
  if (expression === null) {
    findings.leave(
      place,
      `its schedule is not known here: ${shownValue(given.Schedule ?? given.ScheduleExpression)}`,
    );
    return null;
  }
  if (given.StartDate || given.EndDate)
    findings.leave(
      place,
      "StartDate and EndDate: a schedule begins with its deploy and ends where it is taken out or disabled",
    );
  leaveRetries(given, ["RetryPolicy", "DeadLetterConfig"], place, findings);
  const window = isKnownMap(given.FlexibleTimeWindow) ? given.FlexibleTimeWindow : {};
  if (plainOf(window.Mode)?.toUpperCase() === "FLEXIBLE")
    findings.leave(
      `${place}.FlexibleTimeWindow`,
      "a run begins when it is due, not some time later",
    );
  const { ScheduleExpressionTimezone: zone } = given;
  return {
    place,
    name: plainOf(given.Name) ?? name,
    expression,
    timeZone: timeZoneOf(zone, `${place}.ScheduleExpressionTimezone`, findings),
    isEnabled: isEnabled(given, place, findings),
    event: inputOf(given, place, findings),
  };
}

/** `Enabled` is the older word, `State` goes before it. */
function isEnabled(given: KnownMap, place: string, findings: Findings): boolean {
  const state = plainOf(given.State)?.toUpperCase();
  if (state === "ENABLED" || state === "DISABLED") return state === "ENABLED";
  if (given.State !== undefined)
    findings.leave(
      `${place}.State`,
      `${shownValue(given.State)} is not known here: ENABLED is taken`,
    );
  return flagOf(given.Enabled, `${place}.Enabled`, { missing: true, findings });
}

/** `Input` is JSON as text. */
function inputOf(given: KnownMap, place: string, findings: Findings): unknown {
  if (given.Input === undefined || given.Input === null) return null;
  const text = plainOf(given.Input);
  if (text !== null) return jsonIn(text, `${place}.Input`, findings);
  findings.leave(
    `${place}.Input`,
    `${shownValue(given.Input)} is not known here: the function gets what a scheduled event is`,
  );
  return null;
}
