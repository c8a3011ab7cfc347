import type { Clock } from "../domain/clock.ts";
import { HEARTBEAT_MS, type Watch } from "./messages.ts";

/** What runs longer than this is told to the keeper; what is over sooner costs nothing. */
const TELL_EVERY_MS = 25;
/** Ticks go on for this long after the last call, so that calls one after the other cost no message each. */
const REST_AFTER_MS = 1000;

/** A sandbox that has to be done by a moment. */
export interface Watched {
  readonly id: string;
  /** Monotonic ms; the latest of what runs inside. */
  dueAt: number;
  /** What the keeper was told last; 0: nothing. */
  toldDueAt: number;
}

/**
 * Tells the keeper what runs and until when, so that it can end it without this process. `quiet <-> ticking`: the first call after a pause is told at once,
 * and while ticking a stalled process leaves at most what began within the last `TELL_EVERY_MS` untold, which the missing heartbeat then ends.
 */
export class DeadlineWatch {
  readonly #clock: Clock;
  readonly #tell: (watch: Watch) => void;
  readonly #busy = new Set<Watched>();
  readonly #told = new Set<Watched>();
  #cancelTick: (() => void) | null = null;
  #toldAt = 0;
  #busyAt = 0;

  constructor(clock: Clock, tell: (watch: Watch) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** `dueAt` may be later than before, never earlier. */
  add(sandbox: Watched, dueAt: number): void {
    if (dueAt > sandbox.dueAt) sandbox.dueAt = dueAt;
    this.#busy.add(sandbox);
    if (this.#cancelTick === null) this.#begin();
  }

  /** Nothing runs inside any more. */
  remove(sandbox: Watched): void {
    sandbox.dueAt = 0;
    this.#busy.delete(sandbox);
  }

  close(): void {
    this.#cancelTick?.();
    this.#cancelTick = null;
  }

  #begin(): void {
    this.#say({ type: "watch", isBusy: true, arm: [], disarm: [] });
    this.#busyAt = this.#clock.now();
    this.#tickLater();
  }

  #tickLater(): void {
    this.#cancelTick = this.#clock.after(TELL_EVERY_MS, () => this.#tick());
  }

  #tick(): void {
    this.#cancelTick = null;
    const now = this.#clock.now();
    if (this.#busy.size > 0) this.#busyAt = now;
    const isResting = now - this.#busyAt >= REST_AFTER_MS;
    const changes = this.#changes(now);
    const isSilent = changes.arm.length === 0 && changes.disarm.length === 0;
    if (!isSilent || isResting || now - this.#toldAt >= HEARTBEAT_MS)
      this.#say({ type: "watch", isBusy: !isResting, ...changes });
    if (!isResting) this.#tickLater();
  }

  #changes(now: number): Pick<Watch, "arm" | "disarm"> {
    const arm: Watch["arm"] = [];
    const disarm: string[] = [];
    for (const sandbox of this.#told) {
      if (this.#busy.has(sandbox)) continue;
      sandbox.toldDueAt = 0;
      this.#told.delete(sandbox);
      disarm.push(sandbox.id);
    }
    for (const sandbox of this.#busy) {
      if (sandbox.toldDueAt === sandbox.dueAt) continue;
      sandbox.toldDueAt = sandbox.dueAt;
      this.#told.add(sandbox);
      arm.push([sandbox.id, sandbox.dueAt - now]);
    }
    return { arm, disarm };
  }

  #say(watch: Watch): void {
    this.#toldAt = this.#clock.now();
    this.#tell(watch);
  }
}
