import type { Clock } from "../domain/clock.ts";
import { type DeployedFunction, gatewaySettingsOf } from "../domain/function.ts";
import { GrowingPauses } from "../domain/growing-pauses.ts";
import { IsolaError, messageOf } from "../errors.ts";
import type { FunctionKey } from "../link/messages.ts";
import type { Store } from "../store/store.ts";
import type { GatewayLink, Log } from "./ports.ts";

export interface PublisherOptions {
  store: Pick<Store, "getFunction" | "getRevision">;
  gateway: GatewayLink;
  clock: Clock;
  log: Log;
}

interface Line {
  key: FunctionKey;
  waiters: ((isApplied: boolean) => void)[];
  failures: number;
  pauses: GrowingPauses;
}

const APPLY_TIMEOUT_MS = 5000;
const RETRY_PAUSES = { leastMs: 100, mostMs: 1000 };

/**
 * Tells the gateway what the store says of a function. One line for each function with something to tell: it reads the store anew before every attempt, so that the gateway ends
 * on what was committed last, and goes on until the gateway has confirmed or the publisher is closed. Life: `open -> closed`.
 */
export class Publisher {
  #options: PublisherOptions;
  #lines = new Map<string, Line>();
  #cancels = new Set<() => void>();
  #isClosed = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** To be called after the commit. True once the gateway has confirmed what was committed; false after `withinMs`, and then it is told later. */
  publish(key: FunctionKey, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(withinMs, () => resolve(false));
      const waiter = (isApplied: boolean) => {
        cancel();
        resolve(isApplied);
      };
      if (this.#isClosed) return waiter(false);
      const id = `${key.project}/${key.name}`;
      const line = this.#lines.get(id);
      if (line !== undefined) {
        line.waiters.push(waiter);
        return;
      }
      const pauses = new GrowingPauses(RETRY_PAUSES);
      const started = { key, waiters: [waiter], failures: 0, pauses };
      this.#lines.set(id, started);
      void this.#run(id, started);
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    for (const line of this.#lines.values()) for (const waiter of line.waiters) waiter(false);
    this.#lines.clear();
  }

  async #run(id: string, line: Line): Promise<void> {
    while (!this.#isClosed && line.waiters.length > 0) {
      const told = line.waiters;
      line.waiters = [];
      try {
        await this.#tell(line.key);
        line.failures = 0;
        line.pauses.reset();
        for (const waiter of told) waiter(true);
      } catch (error) {
        line.waiters = [...told, ...line.waiters];
        this.#note(line, error);
        await this.#pause(line.pauses.next());
      }
    }
    this.#lines.delete(id);
  }

  async #tell(key: FunctionKey): Promise<void> {
    const fn = await this.#deployed(key);
    const change = fn === null ? { upserts: [], removes: [key] } : { upserts: [fn], removes: [] };
    await this.#options.gateway.request("apply", change, AbortSignal.timeout(APPLY_TIMEOUT_MS));
  }

  /** Null where the function was deleted. */
  async #deployed(key: FunctionKey): Promise<DeployedFunction | null> {
    const { store } = this.#options;
    try {
      const fn = await store.getFunction(key.project, key.name);
      const live = await store.getRevision(fn.id, fn.liveRevision);
      const { revision, artifact, layer, settings } = live;
      const code = { artifact, ...(layer && { layer }) };
      const about = { ...key, functionId: fn.id, revision };
      return { ...about, ...code, settings: gatewaySettingsOf(settings) };
    } catch (error) {
      if (error instanceof IsolaError && error.code === "not_found") return null;
      throw error;
    }
  }

  #note(line: Line, error: unknown): void {
    line.failures += 1;
    if (line.failures !== 1 && line.failures % 60 !== 0) return;
    this.#options.log.warn(
      { function: line.key.name, attempts: line.failures, reason: messageOf(error) },
      "the gateway has not taken a change yet; it is told again",
    );
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#cancels.delete(cancelAndDone);
        resolve();
      };
      const cancel = this.#options.clock.after(delayMs, done);
      const cancelAndDone = () => {
        cancel();
        resolve();
      };
      this.#cancels.add(cancelAndDone);
    });
  }
}
