import { IsolaError } from "../errors.ts";
import type { Clock } from "../domain/clock.ts";
import type { Store, StoredRecords } from "../store/store.ts";

export interface LiveTailsOptions {
  store: Pick<Store, "getKey" | "getSession">;
  clock: Clock;
}

/** Who has opened a tail: a key, and the session of a browser that stands for it where there is one. */
export interface TailOwner {
  keyId: string;
  /** Digest of its token; null: none. */
  sessionHash: string | null;
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

/** All live tails: a bounded number, each ended within about a second of the end of its key or session. Life: `open -> closed`. */
export class LiveTails {
  readonly #options: LiveTailsOptions;
  readonly #readers = new Map<TailReader, TailOwner>();
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
    for (const owner of this.#readers.values()) if (owner.keyId === keyId) own += 1;
    if (own < TAILS_PER_KEY_MAX && this.#readers.size < TAILS_MAX) return;
    const text = `expected at most ${TAILS_PER_KEY_MAX} live tails of one key and ${TAILS_MAX} in all, given one more; close others, or list instead`;
    throw new IsolaError("too_many_requests", text);
  }

  add(reader: TailReader, owner: TailOwner): void {
    this.#readers.set(reader, owner);
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
    const owners = [...this.#readers.values()];
    for (const keyId of new Set(owners.map((owner) => owner.keyId)))
      if (!(await this.#isKeyAlive(keyId)))
        this.#endAll(
          (owner) => owner.keyId === keyId,
          `the key ${keyId} was revoked or has expired`,
        );
    for (const hash of new Set(owners.map((owner) => owner.sessionHash)))
      if (hash !== null && !(await this.#isSessionAlive(hash)))
        this.#endAll((owner) => owner.sessionHash === hash, "the session has ended");
    for (const reader of this.#readers.keys()) {
      if (this.#checks % CHECKS_PER_BEAT === 0) reader.beat();
      if (reader.isEnded) this.#readers.delete(reader);
    }
  }

  #endAll(isMeant: (owner: TailOwner) => boolean, reason: string): void {
    for (const [reader, owner] of this.#readers) {
      if (!isMeant(owner)) continue;
      this.#readers.delete(reader);
      reader.end(reason);
    }
  }

  async #isSessionAlive(hash: string): Promise<boolean> {
    const { store, clock } = this.#options;
    try {
      const session = await store.getSession(hash);
      return session !== null && session.expiresAt > clock.wall();
    } catch {
      return true; // as below
    }
  }

  async #isKeyAlive(keyId: string): Promise<boolean> {
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
