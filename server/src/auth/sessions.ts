import { randomBytes } from "node:crypto";
import type { Clock } from "../domain/clock.ts";
import { IsolaError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { hashSecret } from "./api-key.ts";
import type { Authenticator, Caller } from "./authenticator.ts";

const HOUR_MS = 3_600_000;
/** From the last use on. */
export const SESSION_MS = 12 * HOUR_MS;
/** A use moves the end only where that is worth a write. */
const EXTEND_STEP_MS = HOUR_MS / 4;
const TOKEN_BYTES = 32;
const TOKEN_SHAPE = /^[0-9a-f]{64}$/;
const LINK_MS = 10 * 60_000;
/** Sign-in links at once: more are made by nobody in good faith. */
const LINKS_MAX = 100;

export interface OpenedSession {
  /** For the cookie; told once. */
  token: string;
  caller: Caller;
  /** Unix ms, unless it is used meanwhile. */
  expiresAt: number;
}

export interface SessionsOptions {
  store: Pick<Store, "createSession" | "getSession" | "extendSession" | "deleteSession">;
  authenticator: Authenticator;
  clock: Clock;
}

/**
 * Sessions of people in browsers: each stands for a key, and ends with it. Only digests of tokens are kept. A sign-in link opens one session, within ten minutes; it lives
 * in memory, and so ends with the control plane.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  /** Digest of a link's token -> its key and its end. */
  readonly #links = new Map<string, { keyId: string; expiresAt: number }>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Rejects with `unauthenticated`. */
  async openByKey(key: string): Promise<OpenedSession> {
    return this.#open(await this.#options.authenticator.authenticate(`Bearer ${key}`));
  }

  /** Rejects with `unauthenticated`; a link that was used is used up, whatever comes of it. */
  async openByLink(token: string): Promise<OpenedSession> {
    const hash = hashSecret(token);
    const link = this.#links.get(hash);
    this.#links.delete(hash);
    if (link === undefined || link.expiresAt <= this.#now())
      throw new IsolaError(
        "unauthenticated",
        "the sign-in link was used before or is older than ten minutes: `isola console` makes another",
      );
    return this.#open(await this.#options.authenticator.callerOfKey(link.keyId));
  }

  /** A token for one sign-in as this caller. */
  makeLink(keyId: string): { token: string; expiresAt: number } {
    const now = this.#now();
    for (const [hash, { expiresAt }] of this.#links)
      if (expiresAt <= now || this.#links.size >= LINKS_MAX) this.#links.delete(hash);
    const token = randomBytes(TOKEN_BYTES).toString("hex");
    const expiresAt = now + LINK_MS;
    this.#links.set(hashSecret(token), { keyId, expiresAt });
    return { token, expiresAt };
  }

  /** Who has the cookie. Rejects with `unauthenticated`. */
  async authenticate(token: string): Promise<{ caller: Caller; expiresAt: number }> {
    const { store, authenticator } = this.#options;
    const hash = TOKEN_SHAPE.test(token) ? hashSecret(token) : null;
    const row = hash === null ? null : await store.getSession(hash);
    const now = this.#now();
    if (hash === null || row === null || row.expiresAt <= now)
      throw new IsolaError("unauthenticated", "the session has ended: sign in again");
    const caller = await authenticator.callerOfKey(row.keyId);
    const expiresAt = now + SESSION_MS;
    if (expiresAt - row.expiresAt < EXTEND_STEP_MS) return { caller, expiresAt: row.expiresAt };
    await store.extendSession(hash, expiresAt);
    return { caller, expiresAt };
  }

  /** One that has ended, or never was, is fine. */
  async close(token: string): Promise<void> {
    if (TOKEN_SHAPE.test(token)) await this.#options.store.deleteSession(hashSecret(token));
  }

  async #open(caller: Caller): Promise<OpenedSession> {
    const token = randomBytes(TOKEN_BYTES).toString("hex");
    const createdAt = this.#now();
    const expiresAt = createdAt + SESSION_MS;
    const session = { tokenHash: hashSecret(token), keyId: caller.keyId, createdAt, expiresAt };
    await this.#options.store.createSession(session);
    return { token, caller, expiresAt };
  }

  #now(): number {
    return this.#options.clock.wall();
  }
}
