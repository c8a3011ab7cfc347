/** Events by time: numbers only, so that millions of them cost no garbage. */
export class EventHeap {
  readonly #times: number[] = [];
  readonly #codes: number[] = [];

  get nextAt(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  push(time: number, code: number): void {
    const times = this.#times;
    const codes = this.#codes;
    let at = times.push(time) - 1;
    codes.push(code);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((times[parent] as number) <= time) break;
      times[at] = times[parent] as number;
      codes[at] = codes[parent] as number;
      at = parent;
    }
    times[at] = time;
    codes[at] = code;
  }

  /** Code of the earliest, which is taken out. */
  pop(): number {
    const times = this.#times;
    const codes = this.#codes;
    const first = codes[0] as number;
    const time = times.pop() as number;
    const code = codes.pop() as number;
    const { length } = times;
    if (length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && (times[child + 1] as number) < (times[child] as number)) child += 1;
      if ((times[child] as number) >= time) break;
      times[at] = times[child] as number;
      codes[at] = codes[child] as number;
      at = child;
    }
    times[at] = time;
    codes[at] = code;
    return first;
  }
}
