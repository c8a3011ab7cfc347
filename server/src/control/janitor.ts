import type { Clock } from "../domain/clock.ts";
import { messageOf } from "../errors.ts";
import type { MetricsKept } from "../store/metrics-store.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "./ports.ts";

export interface JanitorOptions {
  store: Pick<
    Store,
    | "trimRecords"
    | "trimLogs"
    | "trimEvents"
    | "trimLayers"
    | "trimBuilds"
    | "rollUpMetrics"
    | "trimMetrics"
  >;
  /** Removes the code that no revision refers to. */
  collectGarbage(): Promise<void>;
  clock: Clock;
  log: Log;
  bounds: {
    invocationsMax: number;
    /** Of records other than log lines. */
    keptMs: number;
    logLinesMax: number;
    logBytesMax: number;
    logKeptMs: number;
    eventsMax: number;
    layersBytesMax: number;
    metricsKept: MetricsKept;
  };
  /** From the end of one round to the next. */
  intervalMs?: number;
}

const INTERVAL_MS = 60_000;
const ROUNDS_PER_COLLECTION = 10;
/** Of metrics, which go by the hour. */
const ROUNDS_PER_TRIM = 60;
/** Dependencies that no deploy needed for so long are built anew by the next. */
const LAYERS_KEPT_MS = 30 * 86_400_000;

/** Keeps records within their bounds and adds metrics up every minute, drops old metrics every hour, and removes unused code every ten. Life: `idle -> waiting <-> working -> closed`. */
export class Janitor {
  #options: JanitorOptions;
  #state: "idle" | "waiting" | "working" | "closed" = "idle";
  #cancel: () => void = () => {};
  #round = 0;
  #working: Promise<void> = Promise.resolve();

  constructor(options: JanitorOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#state !== "idle") return;
    this.#wait();
  }

  /** One round now; the first of ten removes unused code too. Never rejects: what fails is logged and tried in the next round. */
  async clean(): Promise<void> {
    const { store, clock, bounds, collectGarbage } = this.#options;
    const { invocationsMax, keptMs, layersBytesMax: bytesMax } = bounds;
    const before = clock.wall() - keptMs;
    await this.#attempt("records could not be trimmed", async () => {
      await store.trimRecords({ invocationsMax, before });
    });
    await this.#attempt("log lines could not be trimmed", async () => {
      const { logLinesMax: linesMax, logBytesMax, logKeptMs } = bounds;
      const oldest = clock.wall() - logKeptMs;
      await store.trimLogs({ linesMax, bytesMax: logBytesMax, before: oldest });
    });
    await this.#attempt("events could not be trimmed", async () => {
      await store.trimEvents({ eventsMax: bounds.eventsMax, before });
    });
    await this.#attempt("metrics could not be added up or trimmed", async () => {
      await store.rollUpMetrics();
      if (this.#round % ROUNDS_PER_TRIM === 0) await store.trimMetrics(bounds.metricsKept);
    });
    await this.#attempt("layers could not be trimmed", async () => {
      await store.trimBuilds(before);
      await store.trimLayers({ before: clock.wall() - LAYERS_KEPT_MS, bytesMax });
    });
    if (this.#round++ % ROUNDS_PER_COLLECTION === 0)
      await this.#attempt("unused code could not be removed", collectGarbage);
  }

  /** Resolves when the round under way has ended. */
  async close(): Promise<void> {
    this.#state = "closed";
    this.#cancel();
    await this.#working;
  }

  #wait(): void {
    this.#state = "waiting";
    const { clock, intervalMs = INTERVAL_MS } = this.#options;
    this.#cancel = clock.after(intervalMs, () => {
      this.#state = "working";
      this.#working = this.clean().then(() => {
        if (this.#state === "working") this.#wait();
      });
    });
  }

  async #attempt(failure: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // The next round does it; until then there is only more on the disk.
      this.#options.log.warn({ reason: messageOf(error) }, failure);
    }
  }
}
