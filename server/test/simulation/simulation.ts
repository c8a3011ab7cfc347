import type { Nature } from "./nature.ts";
import { calm, drawProfile } from "./profile.ts";
import { Random } from "./random.ts";
import { SimulatedLoop } from "./simulated-loop.ts";
import { strayErrors } from "./stray-errors.ts";
import { Watch } from "./watch.ts";
import { World } from "./world.ts";

/** Long enough for every deadline, grace and pause between attempts to pass. */
const REST_MS = 400_000;
/** And for every idle time that is kept, learned ones too. */
const LONG_REST_MS = 20_000_000;
const STEPS_MAX = 50_000;

/** One life of a gateway's pools. `failure` is the first thing that was wrong, in words. */
export interface Run {
  seed: number;
  steps: number;
  /** Start kinds, outcomes and error codes that came. */
  seen: ReadonlySet<string>;
  failure: string | null;
  lines: string[];
}

/** Same seed, same run, to the last line of its trace. */
export async function simulate(seed: number, isTraced = false): Promise<Run> {
  const random = new Random(seed);
  const loop = new SimulatedLoop(random);
  const watch = new Watch(() => loop.now(), isTraced);
  const nature: Nature = { loop, random, watch, profile: drawProfile(random) };
  const run = new RunUnderWay(nature);
  await strayErrors(
    (error) => watch.fail(`an error that nobody handled: ${textOf(error)}`),
    () => run.live(),
  );
  const { steps, seen } = run;
  return { seed, steps, seen, failure: watch.failure, lines: watch.lines };
}

class RunUnderWay {
  steps = 0;
  readonly #nature: Nature;
  readonly #world: World;

  constructor(nature: Nature) {
    this.#nature = nature;
    this.#world = new World(nature);
  }

  get seen(): ReadonlySet<string> {
    return this.#world.promises.seen;
  }

  /** `storm -> rest -> closed`, or closed in the middle of the storm. */
  async live(): Promise<void> {
    const { random, watch, loop } = this.#nature;
    const stormMs = random.pick([100, 500, 2000, 8000]);
    this.#world.begin(stormMs);
    if (random.chance(0.2)) {
      loop.later(random.between(0, stormMs), () => void this.#close());
      await this.#run(stormMs);
    } else {
      await this.#run(stormMs);
      this.#calmDown();
      await this.#run(loop.now() + REST_MS);
      this.#check(() => this.#world.balance.checkBlanks());
      if (random.chance(0.1)) await this.#rounds(random.pick([2, 15, 50]));
      await this.#run(loop.now() + LONG_REST_MS);
      this.#check(() => {
        this.#world.promises.checkAllAnswered();
        this.#world.balance.checkRest(loop.timers);
        this.#world.checkRest();
      });
      if (watch.failure === null) void this.#close();
    }
    this.#calmDown();
    await this.#run(loop.now() + REST_MS);
    this.#check(() => {
      this.#world.promises.checkAllAnswered();
      this.#world.balance.checkEmpty(loop.timers);
    });
  }

  async #rounds(minutes: number): Promise<void> {
    const times = 8;
    this.#world.beginRounds(minutes, times);
    await this.#run(this.#nature.loop.now() + (times + 1) * minutes * 60_000);
  }

  #calmDown(): void {
    this.#nature.watch.say(() => "the world calms down");
    this.#nature.profile = calm;
  }

  async #close(): Promise<void> {
    const { watch } = this.#nature;
    watch.say(() => "the pools are closed");
    await this.#world.pools.close();
    watch.say(() => "the pools say they are closed");
  }

  async #run(untilMs: number): Promise<void> {
    const { loop, watch } = this.#nature;
    while (watch.failure === null && (await loop.step(untilMs))) {
      this.steps += 1;
      this.#world.balance.check();
      if (!loop.isDue) this.#world.balance.checkNobodyWaitsInVain();
      watch.check(this.steps < STEPS_MAX, () => `no end after ${this.steps} steps`);
    }
  }

  #check(what: () => void): void {
    if (this.#nature.watch.failure === null) what();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
