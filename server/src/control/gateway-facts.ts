import type { Clock } from "../domain/clock.ts";
import { IsolaError } from "../errors.ts";
import type { GatewayStatus } from "../link/messages.ts";
import type { GatewayLink } from "./ports.ts";

const FRESH_MS = 5000;
const ASK_TIMEOUT_MS = 2000;

/** What the gateway says of this machine, kept for the time in which it is away. Drivers and runtimes change only when it starts anew. */
export class GatewayFacts {
  #gateway: GatewayLink;
  #clock: Clock;
  #last: { status: GatewayStatus; atMs: number } | null = null;
  #asking: Promise<GatewayStatus> | null = null;

  constructor(gateway: GatewayLink, clock: Clock) {
    this.#gateway = gateway;
    this.#clock = clock;
  }

  /** Asked now. Rejects with `not_ready` where the gateway does not answer within 2 s. */
  ask(): Promise<GatewayStatus> {
    this.#asking ??= this.#fetch().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** Asked now or at most 5 s ago; where the gateway is away, the last it said. Rejects with `not_ready` where it never said anything. */
  async known(): Promise<GatewayStatus> {
    const last = this.#last;
    if (last !== null && this.#clock.now() - last.atMs < FRESH_MS) return last.status;
    if (last !== null && !this.#gateway.isConnected) return last.status;
    try {
      return await this.ask();
    } catch (error) {
      if (last === null) throw error;
      return last.status;
    }
  }

  async #fetch(): Promise<GatewayStatus> {
    const status = await this.#gateway
      .request("status", {}, AbortSignal.timeout(ASK_TIMEOUT_MS))
      .catch((error: unknown) => {
        throw new IsolaError("not_ready", "the gateway does not answer; retry in a moment", {
          cause: error,
        });
      });
    this.#last = { status, atMs: this.#clock.now() };
    return status;
  }
}
