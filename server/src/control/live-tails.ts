import { IsolaError } from "../errors.ts";
import type { Clock } from "../domain/clock.ts";
import type { Store, StoredRecords } from "../store/store.ts";

export interface LiveTailsOptions {
  store: Pick<Store, "getKey">;
  clock: Clock;
}

/** Somebody who watches. */
export interface TailReader {
  take(stored: StoredRecords): void;
  beat(): void;
  end(reason: string): void;
  readonly isEnded: boolean;
}

const TAILS_MAX = 64;
/** One key cannot take the places of all others. */
const TAILS_PER_KEY_MAX = 16;
const KEY_CHECK_MS = 1000;
const CHECKS_PER_BEAT = 15;

/** All live tails: a bounded number, each ended within about a second of its key's end. Life: `open -> closed`. */
export class LiveTails {
  readonly #options: LiveTailsOptions;
  readonly #readers = new Map<TailReader, string>();
  #checks = 0;
  #cancelCheck: (() => void) | null = null;
  #isClosed = false;

  constructor(options: LiveTailsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#readers.size;
  }

  /** Throws `too_many_requests` where no further tail may be opened with this key. To be asked before the answer begins. */
  checkRoom(keyId: string): void {
    if (this.#isClosed) throw new IsolaError("not_ready", "the control plane is stopping");
    let own = 0;
    for (const of of this.#readers.values()) if (of === keyId) own += 1;
    if (own < TAILS_PER_KEY_MAX && this.#readers.size < TAILS_MAX) return;
    const text = `expected at most ${TAILS_PER_KEY_MAX} live tails of one key and ${TAILS_MAX} in all, given one more; close others, or list instead`;
    throw new IsolaError("too_many_requests", text);
  }

  add(reader: TailReader, keyId: string): void {
    this.#readers.set(reader, keyId);
    this.#checkLater();
  }

  remove(reader: TailReader): void {
    this.#readers.delete(reader);
  }

  /** In the order in which it was stored. */
  publish(stored: StoredRecords): void {
    if (stored.logs.length === 0 && stored.events.length === 0) return;
    for (const reader of this.#readers.keys()) reader.take(stored);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelCheck?.();
    for (const reader of this.#readers.keys()) reader.end("the server stops");
    this.#readers.clear();
  }

  #checkLater(): void {
    if (this.#isClosed) return;
    this.#cancelCheck ??= this.#options.clock.after(KEY_CHECK_MS, () => {
      void this.#check().then(() => {
        this.#cancelCheck = null;
        if (this.#readers.size > 0) this.#checkLater();
      });
    });
  }

  async #check(): Promise<void> {
    this.#checks += 1;
    for (const keyId of new Set(this.#readers.values()))
      if (!(await this.#isAlive(keyId))) this.#endAll(keyId);
    for (const reader of this.#readers.keys()) {
      if (this.#checks % CHECKS_PER_BEAT === 0) reader.beat();
      if (reader.isEnded) this.#readers.delete(reader);
    }
  }

  #endAll(keyId: string): void {
    for (const [reader, of] of this.#readers) {
      if (of !== keyId) continue;
      this.#readers.delete(reader);
      reader.end(`the key ${keyId} was revoked or has expired`);
    }
  }

  async #isAlive(keyId: string): Promise<boolean> {
    const { store, clock } = this.#options;
    try {
      const key = await store.getKey(keyId);
      if (key === null || key.revokedAt !== null) return false;
      return key.expiresAt === null || key.expiresAt > clock.wall();
    } catch {
      return true; // the store did not answer: asked again in a second
    }
  }
}
