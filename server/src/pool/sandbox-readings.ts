import type { SandboxUsage } from "../drivers/driver.ts";

const unknown: SandboxUsage = { memoryBytes: null, cpuMicros: null, pids: null };

/** The part of a sandbox that says whether calls are inside. */
interface Calls {
  /** Invocations so far. */
  readonly uses: number;
  /** Invocations inside. */
  readonly running: number;
}

/** What was read of a sandbox's use of memory and CPU. It is read now and then, never for a call that waits: what a call took is known where one was alone between two readings. */
export class SandboxReadings {
  readonly #calls: Calls;
  readonly #ask: () => Promise<SandboxUsage>;
  #last: SandboxUsage = unknown;
  #usesAtLast = 0;
  /** While nobody was inside: the CPU time, and how many calls there had been. Of one that was just made: none. */
  #quiet: { cpuMicros: number; uses: number } | null = { cpuMicros: 0, uses: 0 };
  #takenMicros = 0;

  constructor(calls: Calls, ask: () => Promise<SandboxUsage>) {
    this.#calls = calls;
    this.#ask = ask;
  }

  get last(): SandboxUsage {
    return this.#last;
  }

  /** Calls were or are inside since it was read last. */
  get isStale(): boolean {
    return this.#calls.uses > this.#usesAtLast || this.#calls.running > 0;
  }

  /** For the call that has just entered: the CPU time before it; null where others were or are inside since that was read. */
  before(): number | null {
    const { uses, running } = this.#calls;
    if (running !== 1 || this.#quiet?.uses !== uses - 1) return null;
    return this.#quiet.cpuMicros;
  }

  /** `isQuiet`: no call was inside meanwhile. */
  async read(): Promise<{ usage: SandboxUsage; isQuiet: boolean }> {
    const { uses } = this.#calls;
    const wasEmpty = this.#calls.running === 0;
    const usage = await this.#ask();
    const isQuiet = wasEmpty && this.#calls.uses === uses;
    this.#note(usage, uses, isQuiet);
    return { usage, isQuiet };
  }

  /** Nothing of it runs any more, and that is what it had used. */
  ended(usage: SandboxUsage): void {
    this.#note(usage, this.#calls.uses, false);
  }

  /** CPU time that was read since this was asked last, in us. */
  takeCpu(): number {
    const micros = (this.#last.cpuMicros ?? 0) - this.#takenMicros;
    if (micros <= 0) return 0;
    this.#takenMicros += micros;
    return micros;
  }

  /** What could not be read leaves what is known. */
  #note(usage: SandboxUsage, uses: number, isQuiet: boolean): void {
    const { cpuMicros, memoryBytes } = usage;
    if (cpuMicros === null && memoryBytes === null) return;
    this.#last = usage;
    this.#usesAtLast = uses;
    this.#quiet = isQuiet && cpuMicros !== null ? { cpuMicros, uses } : null;
  }
}
