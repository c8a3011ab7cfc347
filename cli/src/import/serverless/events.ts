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
import { endpointOf, leaveTrigger, methodsOf, openToAll, timeZoneOf } from "../triggers.ts";

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

function schedulesOf(value: Known | undefined, place: string, findings: Findings): Schedule[] {
  const map: KnownMap = isKnownMap(value) ? value : { rate: value ?? null };
  const same = {
    place,
    name: plainOf(map.name),
    timeZone: timeZoneOf(map.timezone, `${place}.timezone`, findings),
    isEnabled: flagOf(map.enabled, `${place}.enabled`, { missing: true, findings }),
    event: inputOf(map, place, findings),
  };
  const rates = Array.isArray(map.rate) ? map.rate : [map.rate];
  return rates.flatMap((rate) => {
    const expression = plainOf(rate);
    if (expression !== null) return [{ ...same, expression }];
    findings.leave(place, `its rate is not known here: ${shownValue(rate)}`);
    return [];
  });
}

function inputOf(map: KnownMap, place: string, findings: Findings): unknown {
  if (map.inputPath || map.inputTransformer)
    findings.leave(place, "inputPath and inputTransformer: the function gets the event as it is");
  if (map.input === undefined) return null;
  return plainInput(map.input, (value) =>
    findings.change(`${place}.input`, `${shownValue(value)} in it is null here`),
  );
}

/** JSON: what has variables in it as without them; null, which is told, where that is not known. */
function plainInput(value: Known, tell: (value: Known) => void): unknown {
  if (Array.isArray(value)) return value.map((one) => plainInput(one, tell));
  if (typeof value !== "object" || value === null) return value;
  if (isKnownMap(value)) {
    const members = Object.entries(value);
    return Object.fromEntries(members.map(([key, one]) => [key, plainInput(one, tell)]));
  }
  const plain = plainOf(value);
  if (plain === null) tell(value);
  return plain;
}
