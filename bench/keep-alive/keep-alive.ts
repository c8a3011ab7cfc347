import { MINUTE_PRICE } from "../../server/src/pool/keep-alive/keep-window.ts";
import { short, table } from "../table.ts";
import { type BlankRule, demandRule, recentRule, replayBlanks } from "./blank-replay.ts";
import { auto, fixed, percentiles } from "./policies.ts";
import { type ReplayOptions, type ReplayResult, replay } from "./replay.ts";
import { type TracedFunction, makeTrace } from "./trace.ts";

export interface KeepAliveOptions {
  seed: number;
  functions: number;
  hours: number;
}

/** Calls of one function per second at most; beyond it sandboxes are warm whatever the policy. */
const RATE_MAX = 0.2;
const PRICE_STEPS = 7;
const QUIET_MS = 900_000;

interface Row {
  name: string;
  result: ReplayResult;
}

/** Replays a synthetic trace against the gateway's policies, and says what they are worth beside a fixed ten minutes. Same seed, same text. */
export function keepAliveText(options: KeepAliveOptions): string {
  const { seed, functions, hours } = options;
  const trace = makeTrace({ ...options, rateMax: RATE_MAX });
  const live = (name: string, given: Partial<ReplayOptions>): Row => {
    const all = { hours, policy: fixed(10), eviction: "greedy-dual" as const };
    return { name, result: replay(trace, { ...all, memoryMiBMax: Infinity, ...given }) };
  };
  const base = live("fixed 10 min", {});
  const rows = [
    base,
    live("fixed 60 min", { policy: fixed(60) }),
    live("percentiles (ATC'20)", { policy: percentiles }),
    atEqualMemory(live, base.result.idleGiBHours),
    live("auto", { policy: auto(MINUTE_PRICE) }),
  ];
  const peakMiB = base.result.memoryMiBPeak;
  const limited = [1, 0.75, 0.5].map((share) =>
    limitedText(live, { share, memoryMiBMax: Math.round(peakMiB * share) }),
  );
  const sections = [
    `${functions} functions, ${hours} hours, seed ${seed}: ${base.result.calls} calls; ${kindsText(trace)}`,
    `Memory never short\n${figures(rows, base.result)}`,
    ...limited,
    blanksText(live("", { policy: fixed(1) }).result.coldAt, hours * 3_600_000),
  ];
  return `${sections.join("\n\n")}\n`;
}

type Live = (name: string, given: Partial<ReplayOptions>) => Row;

/** `auto` at the price of memory at which it keeps as much idle as the fixed time does. */
function atEqualMemory(live: Live, idleGiBHours: number): Row {
  let [low, high] = [MINUTE_PRICE / 4, MINUTE_PRICE * 8];
  let best: Row | null = null;
  for (let step = 0; step < PRICE_STEPS; step += 1) {
    const price = Math.sqrt(low * high);
    const row = live("auto, at equal memory", { policy: auto(price) });
    if (row.result.idleGiBHours > idleGiBHours) low = price;
    else {
      high = price;
      best = row;
    }
  }
  return best ?? live("auto, at equal memory", { policy: auto(high) });
}

function limitedText(live: Live, given: { share: number; memoryMiBMax: number }): string {
  const { share, memoryMiBMax } = given;
  const lru = { eviction: "least-recently-used" as const, memoryMiBMax };
  const base = live("fixed 10 min, longest idle first", lru);
  const rows = [
    base,
    live("fixed 10 min, by worth", { memoryMiBMax }),
    live("auto, longest idle first", { ...lru, policy: auto(MINUTE_PRICE) }),
    live("auto, by worth", { policy: auto(MINUTE_PRICE), memoryMiBMax }),
  ];
  const gib = short(memoryMiBMax / 1024);
  return `${gib} GiB of memory, ${share} of what a fixed 10 min takes at its peak\n${figures(rows, base.result)}`;
}

function figures(rows: Row[], base: ReplayResult): string {
  const heading = [
    ...["", "cold starts", "fewer by", "idle GiB h", "more by", "waited h", "shorter by"],
    ...["ahead", "evicted", "cold share p50", "p75"],
  ];
  const share = ({ coldShares }: ReplayResult, quantile: number) =>
    short(coldShares[Math.floor(quantile * coldShares.length)] ?? 0);
  const lines = rows.map(({ name, result }) => [
    name,
    String(result.cold),
    short(base.cold / result.cold),
    short(result.idleGiBHours),
    short(result.idleGiBHours / base.idleGiBHours),
    short(result.coldHours),
    short(base.coldHours / result.coldHours),
    String(result.prewarms),
    String(result.evictions),
    share(result, 0.5),
    share(result, 0.75),
  ]);
  return table(heading, lines);
}

function blanksText(needs: readonly number[], untilMs: number): string {
  const rules: [string, BlankRule][] = [
    ["the last 3 s, at least 2 (before)", recentRule()],
    ["bursts are remembered", demandRule(QUIET_MS)],
  ];
  const lines = rules.map(([name, rule]) => {
    const { met, kept } = replayBlanks(needs, untilMs, rule);
    return [name, `${needs.length - met} of ${needs.length}`, short(kept)];
  });
  const heading = ["Blank sandboxes for the cold starts of a fixed minute", "not ready", "kept"];
  return table(heading, lines);
}

function kindsText(trace: readonly TracedFunction[]): string {
  const kinds = ["timer", "poisson", "bursty"] as const;
  const count = (kind: string) => trace.filter((fn) => fn.kind === kind).length;
  return kinds.map((kind) => `${count(kind)} ${kind}`).join(", ");
}
