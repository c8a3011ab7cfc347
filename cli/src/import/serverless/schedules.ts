import type { Findings } from "../findings.ts";
import type { Schedule } from "../imported.ts";
import {
  type Known,
  type KnownMap,
  flagOf,
  isKnownMap,
  plainOf,
  shownValue,
} from "../known-values.ts";
import { jsonIn, leaveRetries, leaveTrigger, timeZoneOf } from "../triggers.ts";

/** Of the event `schedule`: one for each of its rates. */
export function schedulesOf(
  value: Known | undefined,
  place: string,
  findings: Findings,
): Schedule[] {
  const map: KnownMap = isKnownMap(value) ? value : { rate: value ?? null };
  return withRates(map, { place, event: bodyRead(inputOf(map, place, findings)) }, findings);
}

/** Of the event `eventBridge` where it has a `schedule`. What it waits for beside that is told. */
export function schedulesOfRule(map: KnownMap, place: string, findings: Findings): Schedule[] {
  if (map.pattern) leaveTrigger("eventBridge", `${place}.pattern`, findings);
  leaveRetries(map, ["retryPolicy", "deadLetterQueueArn"], place, findings);
  const rule = { ...map, rate: map.schedule ?? null };
  return withRates(rule, { place, event: inputOf(map, place, findings) }, findings);
}

function withRates(
  map: KnownMap,
  { place, event }: Pick<Schedule, "place" | "event">,
  findings: Findings,
): Schedule[] {
  const same = {
    place,
    name: plainOf(map.name),
    timeZone: timeZoneOf(map.timezone, `${place}.timezone`, findings),
    isEnabled: flagOf(map.enabled, `${place}.enabled`, { missing: true, findings }),
    event,
  };
  const rates = Array.isArray(map.rate) ? map.rate : [map.rate];
  return rates.flatMap((rate) => {
    const expression = plainOf(rate);
    if (expression !== null) return [{ ...same, expression }];
    findings.leave(place, `its rate is not known here: ${shownValue(rate)}`);
    return [];
  });
}

/** Text is JSON as text: it goes into the rule as it is. */
function inputOf(map: KnownMap, place: string, findings: Findings): unknown {
  if (map.inputPath || map.inputTransformer)
    findings.leave(place, "inputPath and inputTransformer: the function gets the event as it is");
  if (map.input === undefined) return null;
  const input = plainInput(map.input, (value) =>
    findings.change(`${place}.input`, `${shownValue(value)} in it is null here`),
  );
  if (typeof input !== "string" || input === "") return input || null;
  return jsonIn(input, `${place}.input`, findings);
}

/** The Framework makes of the text `body` of an input the JSON that it is. */
function bodyRead(input: unknown): unknown {
  if (typeof input !== "object" || input === null || !("body" in input)) return input;
  if (typeof input.body !== "string") return input;
  try {
    return { ...input, body: JSON.parse(input.body) as unknown };
  } catch {
    return input; // the Framework refuses it: nothing was ever called with it
  }
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
