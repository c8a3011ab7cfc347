import { BlankDemand } from "../../server/src/pool/blank-demand.ts";

/** How many blank sandboxes to keep. */
export interface BlankRule {
  note(nowMs: number): void;
  target(nowMs: number): number;
}

export interface BlankResult {
  needs: number;
  /** Needs that found a blank sandbox ready. */
  met: number;
  /** Kept ready on average. */
  kept: number;
}

const BASE = 2;
const MOST = 16;
const START_MS = 60;
const STARTS_AT_ONCE = 2;
const STEP_MS = 30;
/** Without a need for this long nothing changes any more but by forgetting, which is looked at this often. */
const LOOK_EVERY_MS = 10_000;

/** The gateway's rule. */
export function demandRule(quietMs: number): BlankRule {
  return new BlankDemand({ base: BASE, most: MOST, quietMs, nowMs: 0, isExpected: true });
}

/** What the gateway did before, for comparison: the base, or as many as were needed in the last three seconds. */
export function recentRule(): BlankRule {
  let needs: number[] = [];
  return {
    note: (nowMs) => needs.push(nowMs),
    target: (nowMs) => {
      needs = needs.filter((at) => at > nowMs - 3000);
      return Math.max(BASE, Math.min(MOST, needs.length));
    },
  };
}

/** Lives through starts of sandboxes at `needs` (ms, ascending), each of which takes a blank one where one is ready; refills take their time, two at once. */
export function replayBlanks(
  needs: readonly number[],
  untilMs: number,
  rule: BlankRule,
): BlankResult {
  let now = 0;
  let ready = BASE;
  let met = 0;
  let keptMs = 0;
  let starting: number[] = [];
  const passTo = (atMs: number) => {
    while (now < atMs) {
      const isQuiet = starting.length === 0 && ready >= rule.target(now);
      const next = Math.min(atMs, now + (isQuiet ? LOOK_EVERY_MS : STEP_MS));
      keptMs += ready * (next - now);
      now = next;
      ready += starting.filter((endsAt) => endsAt <= now).length;
      starting = starting.filter((endsAt) => endsAt > now);
      const target = rule.target(now);
      ready = Math.min(ready, target);
      while (starting.length < STARTS_AT_ONCE && ready + starting.length < target)
        starting.push(now + START_MS);
    }
  };
  for (const at of needs) {
    passTo(at);
    rule.note(at);
    if (ready === 0) continue;
    ready -= 1;
    met += 1;
  }
  passTo(untilMs);
  return { needs: needs.length, met, kept: keptMs / untilMs };
}
