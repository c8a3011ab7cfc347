import { IsolaError, messageOf } from "../errors.ts";
import type { Clock } from "../domain/clock.ts";
import type { KeyRow, Scope, Store } from "../store/store.ts";
import { hashSecret, isSecretOf, parseApiKey } from "./api-key.ts";
import { scopesAllow } from "./scopes.ts";

/** Who calls. */
export interface Caller {
  keyId: string;
  scopes: readonly Scope[];
  /** The one that the key is for, and sees alone; null: every project. */
  project: string | null;
}

export interface AuthenticatorOptions {
  store: Pick<Store, "getKey" | "touchKeys">;
  clock: Clock;
  onProblem(message: string): void;
}

const FLUSH_MS = 5000;
const USED_MAX = 10_000;
/** Compared with where the key is unknown, so that the answer takes as long as for a wrong secret. */
const NO_HASH = hashSecret("");

/**
 * Tells who calls by the `Authorization` header. Rows are read for every call, so that a revocation works at once; the time of last use is
 * written in batches, at most 5 s late. Life: `open -> closed`.
 */
export class Authenticator {
  #options: AuthenticatorOptions;
  #used = new Map<string, number>();
  #cancelFlush: (() => void) | null = null;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** Rejects with `unauthenticated`. */
  async authenticate(header: string | undefined): Promise<Caller> {
    if (header === undefined)
      throw new IsolaError(
        "unauthenticated",
        "no key given: send `Authorization: Bearer isola_...`",
      );
    const [scheme, text, ...rest] = header.split(" ");
    const key = parseApiKey(text ?? "");
    if (scheme?.toLowerCase() !== "bearer" || rest.length > 0 || key === null)
      throw new IsolaError(
        "unauthenticated",
        "expected `Authorization: Bearer isola_<id>_<secret>`, given something else",
      );
    const row = await this.#options.store.getKey(key.id);
    const isRight = isSecretOf(key.secret, row?.secretHash ?? NO_HASH);
    if (row === null || !isRight)
      throw new IsolaError("unauthenticated", "the key is unknown; look for a typing mistake");
    return this.#callerOf(row);
  }

  /** Of a key that was proven before. Rejects with `unauthenticated` where it does not work any more. */
  async callerOfKey(id: string): Promise<Caller> {
    const row = await this.#options.store.getKey(id);
    if (row === null) throw new IsolaError("unauthenticated", `the key ${id} is gone; use another`);
    return this.#callerOf(row);
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    this.#cancelFlush?.();
    await this.#flush();
  }

  #callerOf(row: KeyRow): Caller {
    this.#checkAlive(row);
    this.#touch(row.id);
    return { keyId: row.id, scopes: row.scopes, project: row.project };
  }

  #checkAlive(row: KeyRow): void {
    if (row.revokedAt !== null)
      throw new IsolaError("unauthenticated", `the key ${row.id} was revoked; use another`);
    if (row.expiresAt !== null && row.expiresAt <= this.#options.clock.wall())
      throw new IsolaError("unauthenticated", `the key ${row.id} has expired; use another`);
  }

  #touch(id: string): void {
    this.#used.set(id, this.#options.clock.wall());
    if (this.#used.size >= USED_MAX) void this.#flush();
    this.#cancelFlush ??= this.#options.clock.after(FLUSH_MS, () => void this.#flush());
  }

  async #flush(): Promise<void> {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    if (this.#used.size === 0) return;
    const used = this.#used;
    this.#used = new Map();
    try {
      await this.#options.store.touchKeys(used);
    } catch (error) {
      // The time of last use is for people to read; losing one is no reason to refuse calls.
      this.#options.onProblem(`last use of keys could not be stored: ${messageOf(error)}`);
    }
  }
}

/** Throws `forbidden`. */
export function requireScope(caller: Caller, needed: Scope): void {
  if (scopesAllow(caller.scopes, needed)) return;
  throw new IsolaError(
    "forbidden",
    `expected a key with scope ${needed}, given one with ${caller.scopes.join(", ")}`,
  );
}
