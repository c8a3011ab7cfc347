/** Something that owns idle sandboxes, and gives up one at a time. */
export interface EvictionCandidate {
  /** Priority of the sandbox that it would give up first; null when it can give none. */
  evictionPriority(): number | null;
  /** Its place in the order, which keeps it; -1: in none. */
  orderedAt: number;
}

/** Before every priority: whoever had nothing to give is asked again when an eviction comes, and not with each offer. */
const NOTHING_YET = -1;

/**
 * Who gives up a sandbox when memory is needed: the candidate of the least priority. With priorities as `clock at the last use + worth` this is Greedy-Dual
 * (FaasCache, Fuerst and Sharma, ASPLOS'21): the clock follows what was evicted last, so that what is not used falls behind whatever it was worth.
 *
 * A heap whose keys may be out of date: a use of a sandbox costs nothing here. An eviction costs O(log n) for itself and for each candidate that was offered or used
 * since it was last looked at. What has become worth less meanwhile is noticed when its turn comes.
 */
export class EvictionOrder<C extends EvictionCandidate> {
  /** Priority of what was evicted last; a sandbox that is used takes it as its own. */
  clock = 0;
  readonly #candidates: C[] = [];
  readonly #keys: number[] = [];

  /** It may have something to give again. */
  offer(candidate: C): void {
    if (candidate.orderedAt !== -1) return;
    const at = this.#candidates.push(candidate) - 1;
    this.#keys.push(candidate.evictionPriority() ?? NOTHING_YET);
    candidate.orderedAt = at;
    this.#rise(at);
  }

  /** The one whose turn it is; null when nobody has anything to give. It stays in the order and may be asked again. */
  first(): C | null {
    for (;;) {
      const candidate = this.#candidates[0];
      if (candidate === undefined) return null;
      const priority = candidate.evictionPriority();
      if (priority === null) this.remove(candidate);
      else if (priority <= this.#key(0)) return candidate;
      else {
        this.#keys[0] = priority;
        this.#sink(0);
      }
    }
  }

  /** What `first` offered was evicted. */
  passed(priority: number): void {
    this.clock = Math.max(this.clock, priority);
  }

  remove(candidate: C): void {
    const at = candidate.orderedAt;
    if (at === -1) return;
    candidate.orderedAt = -1;
    const last = this.#candidates.pop() as C;
    const key = this.#keys.pop() as number;
    if (last === candidate) return;
    this.#put(at, last, key);
    this.#rise(at);
    this.#sink(last.orderedAt);
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (this.#key(parent) <= this.#key(at)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    const { length } = this.#keys;
    for (let at = from; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (left < length && this.#key(left) < this.#key(least)) least = left;
      if (right < length && this.#key(right) < this.#key(least)) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #key(at: number): number {
    return this.#keys[at] as number;
  }

  #swap(one: number, other: number): void {
    const candidate = this.#candidates[one] as C;
    const key = this.#key(one);
    this.#put(one, this.#candidates[other] as C, this.#key(other));
    this.#put(other, candidate, key);
  }

  #put(at: number, candidate: C, key: number): void {
    this.#candidates[at] = candidate;
    this.#keys[at] = key;
    candidate.orderedAt = at;
  }
}
