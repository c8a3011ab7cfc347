/** Hears what goes on in a run: keeps the first thing that is wrong, and the trace where somebody wants to read it. */
export class Watch {
  readonly lines: string[] = [];
  readonly #now: () => number;
  readonly #isTraced: boolean;
  #failure: string | null = null;

  constructor(now: () => number, isTraced: boolean) {
    this.#now = now;
    this.#isTraced = isTraced;
  }

  get failure(): string | null {
    return this.#failure;
  }

  say(text: () => string): void {
    if (this.#isTraced) this.lines.push(`${String(this.#now()).padStart(7)} ms  ${text()}`);
  }

  /** Not thrown: what the product calls must not be able to swallow it. */
  fail(text: string): void {
    this.#failure ??= text;
    this.say(() => `WRONG: ${text}`);
  }

  check(isRight: boolean, text: () => string): void {
    if (!isRight) this.fail(text());
  }
}
