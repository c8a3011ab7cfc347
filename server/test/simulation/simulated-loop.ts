import type { EventLoop } from "../../src/domain/clock.ts";
import type { Random } from "./random.ts";

interface Task {
  at: number;
  /** Set by the product, and not by the world around it. */
  isTimer: boolean;
  run: () => void;
}

/**
 * Owns time and everything that happens later. Nothing happens but by `step`, one task at a time: the earliest, and among those that are due together any, as the
 * seed decides. Promises settle between steps.
 */
export class SimulatedLoop implements EventLoop {
  readonly #random: Random;
  #now = 0;
  /** How long the loop has stood still in all; nothing can be on time meanwhile. */
  stalledMs = 0;
  #tasks: Task[] = [];
  /** As given to whoever wants a turn of the loop: a bare function. */
  readonly soon = (run: () => void): unknown => this.#add(0, false, run);

  constructor(random: Random) {
    this.#random = random;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return 1_700_000_000_000 + this.#now;
  }

  /** Timers that the product has set. */
  get timers(): number {
    return this.#tasks.filter(({ isTimer }) => isTimer).length;
  }

  /** Whether something is still to happen at this moment. */
  get isDue(): boolean {
    return this.#tasks.some(({ at }) => at <= this.#now);
  }

  after(delayMs: number, run: () => void): () => void {
    const task = this.#add(delayMs, true, run);
    return () => this.#cancel(task);
  }

  /** Something that the world does. */
  later(delayMs: number, run: () => void): void {
    this.#add(delayMs, false, run);
  }

  /** Time passes, and nothing that is due meanwhile happens before the end of it. */
  stall(ms: number): void {
    this.#now += ms;
    this.stalledMs += ms;
  }

  /** False, and nothing done, when there is nothing to do until then. */
  async step(untilMs: number): Promise<boolean> {
    const task = this.#next();
    if (task === null || task.at > untilMs) {
      this.#now = Math.max(this.#now, Math.min(untilMs, Number.MAX_SAFE_INTEGER));
      return false;
    }
    this.#cancel(task);
    this.#now = Math.max(this.#now, task.at);
    task.run();
    await settled();
    return true;
  }

  #add(delayMs: number, isTimer: boolean, run: () => void): Task {
    const task = { at: this.#now + Math.max(0, delayMs), isTimer, run };
    this.#tasks.push(task);
    return task;
  }

  #cancel(task: Task): void {
    const at = this.#tasks.indexOf(task);
    if (at === -1) return;
    const last = this.#tasks.pop() as Task;
    if (last !== task) this.#tasks[at] = last;
  }

  #next(): Task | null {
    let found: Task | null = null;
    let ties = 0;
    for (const task of this.#tasks) {
      if (found !== null && task.at > found.at) continue;
      ties = found !== null && task.at === found.at ? ties + 1 : 1;
      if (ties === 1 || this.#random.below(ties) === 0) found = task;
    }
    return found;
  }
}

/** Everything that promises and `process.nextTick` have put off has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
