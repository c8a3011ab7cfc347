import type { Random } from "./random.ts";

type Weights<K extends string> = Record<K, number>;

export type StartHow = "prompt" | "slow" | "hang" | "fail" | "failLate" | "deaf";
export type HelloHow = "prompt" | "slow" | "never" | "die" | "breach" | "talksOn";
export type LimitsHow = "prompt" | "slow" | "reject" | "hang";
export type CodeHow = "prompt" | "slow" | "fail" | "hang";
export type InitHow =
  | "prompt"
  | "slow"
  | "atDeadline"
  | "never"
  | "refuse"
  | "die"
  | "breach"
  | "talksOn";
export type CallHow =
  | "instant"
  | "quick"
  | "stream"
  | "endless"
  | "atDeadline"
  | "late"
  | "never"
  | "error"
  | "oddError"
  | "wrongLength"
  | "talksOn"
  | "breach"
  | "die";
export type CancelHow = "obey" | "finish" | "ignore" | "die";
export type NewsHow = "prompt" | "late" | "lost";
export type DestroyHow = "prompt" | "slow" | "unconfirmed" | "reject" | "hang";

/** How the world of one run behaves: how often each thing happens, of its kind. */
export interface Profile {
  start: Weights<StartHow>;
  hello: Weights<HelloHow>;
  limits: Weights<LimitsHow>;
  code: Weights<CodeHow>;
  init: Weights<InitHow>;
  call: Weights<CallHow>;
  cancel: Weights<CancelHow>;
  /** How the host learns that a process has ended ... */
  exit: Weights<NewsHow>;
  /** ... and that its stream has. */
  end: Weights<NewsHow>;
  destroy: Weights<DestroyHow>;
  /** Deaths of sandboxes that do nothing, per sandbox. */
  deathChance: number;
  /** Bytes that take their time, per delivery. */
  lagChance: number;
  /** Deliveries that are cut in the middle. */
  cutChance: number;
  /** Callers that do not take bytes at once, and callers that go, per caller. */
  slowCallerChance: number;
  leaveChance: number;
}

/** The world after the storm: what begins now goes well. */
export const calm: Profile = {
  start: { prompt: 1, slow: 0, hang: 0, fail: 0, failLate: 0, deaf: 0 },
  hello: { prompt: 1, slow: 0, never: 0, die: 0, breach: 0, talksOn: 0 },
  limits: { prompt: 1, slow: 0, reject: 0, hang: 0 },
  code: { prompt: 1, slow: 0, fail: 0, hang: 0 },
  init: { prompt: 1, slow: 0, atDeadline: 0, never: 0, refuse: 0, die: 0, breach: 0, talksOn: 0 },
  call: {
    instant: 2,
    quick: 3,
    stream: 1,
    endless: 0,
    atDeadline: 0,
    late: 0,
    never: 0,
    error: 0,
    oddError: 0,
    wrongLength: 0,
    talksOn: 0,
    breach: 0,
    die: 0,
  },
  cancel: { obey: 1, finish: 0, ignore: 0, die: 0 },
  exit: { prompt: 1, late: 0, lost: 0 },
  end: { prompt: 1, late: 0, lost: 0 },
  destroy: { prompt: 1, slow: 0, unconfirmed: 0, reject: 0, hang: 0 },
  deathChance: 0,
  lagChance: 0,
  cutChance: 0,
  slowCallerChance: 0,
  leaveChance: 0,
};

/** Each fault is absent from half of the runs, and rare to common in the others: a world in which everything fails tests nothing but failure. */
export function drawProfile(random: Random): Profile {
  const storm = random.pick([0.05, 0.3, 1]);
  const chance = () => (random.chance(0.5) ? 0 : random.next() * storm);
  const weights = <K extends string>(base: Record<K, number>): Record<K, number> => {
    const drawn = { ...base };
    for (const key of Object.keys(base) as K[]) drawn[key] = base[key] * 2 + chance();
    return drawn;
  };
  return {
    start: weights(calm.start),
    hello: weights(calm.hello),
    limits: weights(calm.limits),
    code: weights(calm.code),
    init: weights(calm.init),
    call: weights(calm.call),
    cancel: weights(calm.cancel),
    exit: weights(calm.exit),
    end: weights(calm.end),
    destroy: weights(calm.destroy),
    deathChance: chance() / 2,
    lagChance: chance(),
    cutChance: chance() / 2,
    slowCallerChance: chance(),
    leaveChance: chance() / 2,
  };
}
