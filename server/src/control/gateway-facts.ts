import type { Clock } from "../domain/clock.ts";
import type { DriverProbe } from "../drivers/driver.ts";
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

  /** `nodejs` and `python` become the newest installed, a full name itself. Throws `invalid_request` naming what is installed. */
  static resolveRuntime(asked: string, runtimes: GatewayStatus["runtimes"]): string {
    const fitting = runtimes
      .filter(({ family, name }) => family === asked || name === asked)
      .toSorted((a, b) => compareVersions(b.version, a.version))[0];
    if (fitting !== undefined) return fitting.name;
    const names = runtimes.map(({ name }) => name).join(", ");
    const expected = `one of nodejs, python${names === "" ? "" : `, ${names}`} (installed here: ${names || "none"})`;
    const given = JSON.stringify(asked);
    throw new IsolaError("invalid_request", `runtime: expected ${expected}, given ${given}`, {
      details: [{ path: "runtime", expected, given }],
    });
  }

  /** Throws `driver_unavailable` with what is missing and what would help. */
  static checkDriver(name: string, drivers: readonly DriverProbe[]): void {
    const probe = drivers.find((driver) => driver.name === name);
    if (probe?.isAvailable) return;
    const problems = probe?.problems.join("; ") || "it is not part of this server";
    const fixes =
      probe === undefined || probe.fixes.length === 0
        ? ""
        : `; to fix: ${probe.fixes.join(" && ")}`;
    throw new IsolaError(
      "driver_unavailable",
      `driver ${name} cannot run here: ${problems}${fixes}`,
    );
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

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split("."), b.split(".")];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = Number(left[at] ?? 0) - Number(right[at] ?? 0);
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
  }
  return 0;
}
