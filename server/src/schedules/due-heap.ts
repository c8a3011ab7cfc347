/** What has a due moment; one heap at a time. */
export interface Due {
  /** Unix ms. */
  due: number;
  /** Where it lies in the heap; -1: in none. */
  place: number;
}

/** Holds many with the earliest first; each change costs a few steps, however many there are. */
export class DueHeap<T extends Due> {
  readonly #items: T[] = [];

  get first(): T | undefined {
    return this.#items[0];
  }

  get size(): number {
    return this.#items.length;
  }

  /** `item` lies in no heap. */
  add(item: T): void {
    this.#put(item, this.#items.length);
    this.#rise(item);
  }

  /** One that is not in here is left alone. */
  remove(item: T): void {
    const { place } = item;
    if (this.#items[place] !== item) return;
    const last = this.#items.pop() as T;
    item.place = -1;
    if (last === item) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  #put(item: T, place: number): void {
    this.#items[place] = item;
    item.place = place;
  }

  #rise(item: T): void {
    while (item.place > 0) {
      const parent = this.#items[(item.place - 1) >> 1] as T;
      if (parent.due <= item.due) return;
      this.#swap(parent, item);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const at = item.place * 2 + 1;
      const [left, right] = [this.#items[at], this.#items[at + 1]];
      if (left === undefined) return;
      const child = right !== undefined && right.due < left.due ? right : left;
      if (item.due <= child.due) return;
      this.#swap(item, child);
    }
  }

  #swap(upper: T, lower: T): void {
    const { place } = upper;
    this.#put(upper, lower.place);
    this.#put(lower, place);
  }
}
