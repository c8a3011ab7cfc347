import type { Findings } from "../findings.ts";
import type { Endpoint, Schedule } from "../imported.ts";
import { type Known, type KnownMap, isKnownMap, plainOf, shownValue } from "../known-values.ts";
import { endpointOf, leaveTrigger, methodsOf, openToAll } from "../triggers.ts";
import { schedulesOf, schedulesOfRule } from "./schedules.ts";

/** What calls a function. */
export function readEvents(
  events: Known | undefined,
  place: string,
  findings: Findings,
): { endpoints: Endpoint[]; schedules: Schedule[] } {
  const endpoints: Endpoint[] = [];
  const schedules: Schedule[] = [];
  for (const [at, event] of (Array.isArray(events) ? events : []).entries()) {
    const [kind, value] = isKnownMap(event)
      ? (Object.entries(event)[0] ?? [])
      : [plainOf(event) ?? undefined, null];
    if (kind === undefined) continue;
    const where = `${place}.events[${at}].${kind}`;
    if (kind === "http" || kind === "httpApi") {
      const endpoint = httpEndpoint(value, where, findings);
      if (endpoint !== null) endpoints.push(endpoint);
    } else if (kind === "schedule") schedules.push(...schedulesOf(value, where, findings));
    else if (kind === "eventBridge" && isKnownMap(value) && value.schedule !== undefined)
      schedules.push(...schedulesOfRule(value, where, findings));
    else leaveTrigger(kind, where, findings);
  }
  return { endpoints, schedules };
}

function httpEndpoint(
  value: Known | undefined,
  place: string,
  findings: Findings,
): Endpoint | null {
  if (value === null || value === undefined) return { place, methods: [], path: "/{proxy+}" };
  if (!isKnownMap(value)) {
    const text = plainOf(value);
    const endpoint = text === null ? null : endpointOf(text, place);
    if (endpoint === null) findings.leave(place, `${shownValue(value)} is no method and path`);
    return endpoint;
  }
  tellGuards(value, place, findings);
  const path = plainOf(value.path);
  const method = plainOf(value.method) ?? "*";
  if (path === null) {
    findings.leave(place, `its path is not known here: ${shownValue(value.path)}`);
    return null;
  }
  const whole = path === "*" ? "/{proxy+}" : path.startsWith("/") ? path : `/${path}`;
  return { place, methods: methodsOf(method), path: whole };
}

function tellGuards(value: KnownMap, place: string, findings: Findings): void {
  if (value.authorizer) findings.leave(`${place}.authorizer`, openToAll);
  if (value.private === true) findings.leave(`${place}.private`, openToAll);
  if (value.cors)
    findings.leave(
      `${place}.cors`,
      "answer OPTIONS and the access-control headers in the function",
    );
  const request = value.request;
  if (isKnownMap(request) && (request.schemas || request.parameters))
    findings.leave(`${place}.request`, "requests are not checked before the function sees them");
  if (value.async === true)
    findings.leave(`${place}.async`, "the caller waits for the function's answer");
}
