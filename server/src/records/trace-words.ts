import type { CallTrace } from "../domain/trace.ts";

export const WORD_DIGITS = 8;

/** The number that stands in eight hex digits from `at` on. */
export function wordAt(id: string, at: number): number {
  let word = 0;
  for (let digit = at; digit < at + WORD_DIGITS; digit += 1) {
    const code = id.charCodeAt(digit);
    word = word * 16 + (code <= 57 ? code - 48 : code - 87);
  }
  return word;
}

export function hexOf(words: number[]): string {
  return words.map((word) => word.toString(16).padStart(WORD_DIGITS, "0")).join("");
}

/** A column of ids of one length, each as words of 32 bits in arrays of their own; NaN is null. */
export class IdWords {
  readonly words: Float64Array[];

  constructor(rows: number, words: number) {
    this.words = Array.from({ length: words }, () => new Float64Array(rows).fill(Number.NaN));
  }

  put(at: number, id: string): void {
    for (let word = 0; word < this.words.length; word += 1)
      (this.words[word] as Float64Array)[at] = wordAt(id, word * WORD_DIGITS);
  }

  clear(count: number): void {
    for (const words of this.words) words.fill(Number.NaN, 0, count);
  }
}

/** Where calls stand in traces, on the way into a chunk. Costs nothing while none is traced. */
export class TraceWords {
  readonly traceId: IdWords;
  readonly runSpanId: IdWords;
  readonly parentSpanId: IdWords;
  isUsed = false;

  constructor(rows: number) {
    this.traceId = new IdWords(rows, 4);
    this.runSpanId = new IdWords(rows, 2);
    this.parentSpanId = new IdWords(rows, 2);
  }

  put(at: number, { traceId, runSpanId, parentSpanId }: CallTrace): void {
    this.isUsed = true;
    this.traceId.put(at, traceId);
    if (runSpanId !== null) this.runSpanId.put(at, runSpanId);
    if (parentSpanId !== null) this.parentSpanId.put(at, parentSpanId);
  }

  clear(count: number): void {
    if (!this.isUsed) return;
    this.isUsed = false;
    this.traceId.clear(count);
    this.runSpanId.clear(count);
    this.parentSpanId.clear(count);
  }
}
