import type { Clock } from "../domain/clock.ts";
import { HEARTBEAT_MS, type Watch } from "./messages.ts";

/** The gateway acts at the deadline itself; only where it does not is the sandbox killed from here. */
const GRACE_MS = 100;
const STALL_MS = 10_000;
/** A check this much late says that this process did not run either: then nothing can be held against the gateway. */
const OWN_STALL_MS = 1000;

export interface OverdueOptions {
  clock: Clock;
  /** A sandbox is past its deadline and still there. */
  onOverdue(id: string): void;
  /** The gateway has said nothing for `STALL_MS` although something ran. */
  onStall(): void;
}

/**
 * The second enforcer of deadlines: it knows what the gateway was last known to run, and needs no further word of it to end that. `quiet <-> busy` by what the
 * gateway says; while busy it expects to hear from it.
 */
export class Overdue {
  readonly #options: OverdueOptions;
  readonly #timers = new Map<string, () => void>();
  #heardAt = 0;
  #checkedAt = 0;
  #cancelCheck: (() => void) | null = null;

  constructor(options: OverdueOptions) {
    this.#options = options;
  }

  told({ isBusy, arm, disarm }: Pick<Watch, "isBusy" | "arm" | "disarm">): void {
    this.#heardAt = this.#options.clock.now();
    for (const id of disarm) this.forget(id);
    for (const [id, inMs] of arm) this.#arm(id, inMs);
    if (!isBusy) this.#rest();
    else if (this.#cancelCheck === null) this.#check();
  }

  forget(id: string): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
  }

  close(): void {
    this.#rest();
    for (const id of [...this.#timers.keys()]) this.forget(id);
  }

  #arm(id: string, inMs: number): void {
    this.#timers.get(id)?.();
    const cancel = this.#options.clock.after(Math.max(0, inMs) + GRACE_MS, () => {
      this.#timers.delete(id);
      this.#options.onOverdue(id);
    });
    this.#timers.set(id, cancel);
  }

  #rest(): void {
    this.#cancelCheck?.();
    this.#cancelCheck = null;
  }

  #check(): void {
    const { clock, onStall } = this.#options;
    this.#checkedAt = clock.now();
    this.#cancelCheck = clock.after(HEARTBEAT_MS, () => {
      const now = clock.now();
      if (now - this.#checkedAt > HEARTBEAT_MS + OWN_STALL_MS) this.#heardAt = now;
      this.#cancelCheck = null;
      if (now - this.#heardAt < STALL_MS) return this.#check();
      onStall();
    });
  }
}
