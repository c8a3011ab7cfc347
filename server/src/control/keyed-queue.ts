import { IsolaError } from "../errors.ts";

const WAITING_MAX = 1000;

/** Runs tasks one after the other for each key, in the order they came; tasks of different keys run at once. */
export class KeyedQueue {
  #tails = new Map<string, { last: Promise<unknown>; waiting: number }>();

  /** Settles as `task` does. Rejects with `conflict` where 1000 already wait for the key. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const line = this.#tails.get(key) ?? { last: Promise.resolve(), waiting: 0 };
    if (line.waiting >= WAITING_MAX)
      throw new IsolaError("conflict", `${WAITING_MAX} changes already wait here; retry later`);
    this.#tails.set(key, line);
    line.waiting += 1;
    const mine = line.last.then(task, task);
    line.last = mine;
    try {
      return await mine;
    } finally {
      line.waiting -= 1;
      if (line.waiting === 0) this.#tails.delete(key);
    }
  }
}
