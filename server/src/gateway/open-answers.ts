import type { ServerResponse } from "node:http";
import type { Clock } from "../domain/clock.ts";

/** A caller that was promised another call on its connection has this long to make it. */
const PROMISE_MS = 500;

/**
 * The answers that a listener owes, and what it has promised with them: a connection that was to be kept alive may carry a request already, however idle it looks.
 * Life: `open -> draining`. While draining every answer whose head is still to come says `connection: close`; when none is owed and the last promise has been kept for 500 ms, all
 * connections can be cut without losing a call.
 */
export class OpenAnswers {
  readonly #clock: Clock;
  readonly #owed = new Set<ServerResponse>();
  #isDraining = false;
  /** Monotonic ms: the last time a caller could still believe in its connection. */
  #promisedAt = 0;
  #onChange: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A request has come; its answer is owed until it was handed to the network whole, or its connection has ended. */
  owe(response: ServerResponse): void {
    this.#owed.add(response);
    if (this.#isDraining) response.shouldKeepAlive = false;
    response.on("close", () => this.#closed(response));
  }

  drain(): void {
    this.#isDraining = true;
    this.#promisedAt = this.#clock.now();
    for (const response of this.#owed) if (!response.headersSent) response.shouldKeepAlive = false;
  }

  get owed(): number {
    return this.#owed.size;
  }

  get isSettled(): boolean {
    return this.#owed.size === 0 && this.#leftMs() <= 0;
  }

  /** Resolves when nothing is owed or promised. `alone`: nobody is connected any more, and nothing is promised to anyone. */
  async settled(alone: AbortSignal): Promise<void> {
    const onAlone = () => this.#onChange();
    alone.addEventListener("abort", onAlone);
    while (!alone.aborted && !this.isSettled) await this.#changed();
    alone.removeEventListener("abort", onAlone);
  }

  #closed(response: ServerResponse): void {
    this.#owed.delete(response);
    if (!this.#isDraining) return;
    if (response.shouldKeepAlive) this.#promisedAt = this.#clock.now();
    this.#onChange();
  }

  #leftMs(): number {
    return this.#promisedAt + PROMISE_MS - this.#clock.now();
  }

  async #changed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onChange = resolve;
    const cancel = this.#owed.size > 0 ? () => {} : this.#clock.after(this.#leftMs(), resolve);
    await promise;
    cancel();
  }
}
