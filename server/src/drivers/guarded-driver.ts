import { type Clock, systemClock } from "../domain/clock.ts";
import { IsolaError, messageOf } from "../errors.ts";
import {
  type DestroyReason,
  type DestroyReport,
  type Driver,
  KILL_CONFIRM_MS,
  type Sandbox,
  type SandboxExit,
  type SandboxLimits,
  type SandboxSpec,
  type SandboxUsage,
  type StartedFrom,
} from "./driver.ts";

export const START_TIMEOUT_MS = 30_000;
const LIMITS_TIMEOUT_MS = 5000;
const FREEZE_TIMEOUT_MS = 2000;
const USAGE_TIMEOUT_MS = 2000;
/** Beyond what the driver itself waits for. */
const DESTROY_TIMEOUT_MS = KILL_CONFIRM_MS + 1000;

/**
 * Makes any driver safe to stand on: a start ends within `startTimeoutMs` or at an abort, and what succeeds later is destroyed; every failure is an `IsolaError`;
 * `destroy` is one, bounded and never rejects; a sandbox that has ended does nothing more.
 */
export function guardDriver(
  driver: Driver,
  startTimeoutMs = START_TIMEOUT_MS,
  clock: Clock = systemClock,
): Driver {
  return {
    name: driver.name,
    probe: () => driver.probe(),
    start: (spec, signal) => guardedStart({ driver, startTimeoutMs, clock }, spec, signal),
    sweep: () => driver.sweep(),
    close: () => driver.close(),
  };
}

interface Guard {
  driver: Driver;
  startTimeoutMs: number;
  clock: Clock;
}

async function guardedStart(
  { driver, startTimeoutMs, clock }: Guard,
  spec: SandboxSpec,
  signal: AbortSignal,
): Promise<Sandbox> {
  const given = new AbortController();
  let isGivenUp = false;
  const starting = (async () =>
    new GuardedSandbox(await driver.start(spec, given.signal), clock))();
  const stop = Promise.withResolvers<never>();
  const giveUp = (why: string) => {
    isGivenUp = true;
    given.abort();
    stop.reject(new IsolaError("sandbox_start_failed", `the start of ${spec.id} ${why}`));
  };
  const onAbort = () => giveUp("was given up");
  const cancelTimer = clock.after(startTimeoutMs, () =>
    giveUp(`took longer than ${startTimeoutMs} ms`),
  );
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([starting, stop.promise]);
  } catch (error) {
    if (isGivenUp)
      starting.then(
        (late) => void late.destroy("start_failed"),
        () => {
          // It has failed as well: nothing was started.
        },
      );
    throw asStartFailure(spec, error);
  } finally {
    cancelTimer();
    signal.removeEventListener("abort", onAbort);
    stop.promise.catch(() => {}); // nobody waits for it once the race is over
  }
}

/** `driver_unavailable` stays what it is: no start will do better. */
function asStartFailure(spec: SandboxSpec, error: unknown): IsolaError {
  if (error instanceof IsolaError) return error;
  const text = `${spec.id} could not be started: ${messageOf(error)}`;
  return new IsolaError("sandbox_start_failed", text, { cause: error });
}

/** Life: running -> ended (`exited` has resolved or `destroy` was called); there is no way back. */
class GuardedSandbox implements Sandbox {
  readonly id: string;
  readonly taskRoot: string;
  readonly startedFrom: StartedFrom;
  readonly control: Sandbox["control"];
  readonly stdout: Sandbox["stdout"];
  readonly stderr: Sandbox["stderr"];
  readonly exited: Promise<SandboxExit>;
  readonly #sandbox: Sandbox;
  readonly #clock: Clock;
  #hasEnded = false;
  #destroying: Promise<DestroyReport> | null = null;

  constructor(sandbox: Sandbox, clock: Clock) {
    this.#sandbox = sandbox;
    this.#clock = clock;
    this.id = sandbox.id;
    this.taskRoot = sandbox.taskRoot;
    this.startedFrom = sandbox.startedFrom ?? "boot";
    this.control = sandbox.control;
    this.stdout = sandbox.stdout;
    this.stderr = sandbox.stderr;
    this.exited = sandbox.exited
      .catch((): SandboxExit => ({ cause: "exited", exitCode: null, signal: null }))
      .finally(() => {
        this.#hasEnded = true;
      });
  }

  async applyLimits(limits: SandboxLimits): Promise<void> {
    if (this.#hasEnded) throw new IsolaError("sandbox_start_failed", `${this.id} has ended`);
    try {
      await within(this.#clock, LIMITS_TIMEOUT_MS, this.#sandbox.applyLimits(limits));
    } catch (error) {
      if (error instanceof IsolaError) throw error;
      const text = `the limits of ${this.id} could not be put in force: ${messageOf(error)}`;
      throw new IsolaError("sandbox_start_failed", text, { cause: error });
    }
  }

  async usage(): Promise<SandboxUsage> {
    const unknown = { memoryBytes: null, cpuMicros: null, pids: null };
    if (this.#hasEnded) return unknown;
    const usage = within(this.#clock, USAGE_TIMEOUT_MS, this.#sandbox.usage());
    return await usage.catch(() => unknown); // it ended while it was asked, or its driver is slow
  }

  async freeze(): Promise<boolean> {
    if (this.#hasEnded) return false;
    return await within(this.#clock, FREEZE_TIMEOUT_MS, this.#sandbox.freeze()).catch(() => false); // it runs on: as safe, only dearer
  }

  async thaw(): Promise<void> {
    if (this.#hasEnded) throw new IsolaError("sandbox_exited", `${this.id} has ended`);
    await within(this.#clock, LIMITS_TIMEOUT_MS, this.#sandbox.thaw());
  }

  /** One attempt at a time; after one that was not confirmed another may be made. */
  destroy(reason: DestroyReason): Promise<DestroyReport> {
    this.#hasEnded = true;
    this.#destroying ??= this.#destroyOnce(reason).then((report) => {
      if (!report.isConfirmed) this.#destroying = null;
      return report;
    });
    return this.#destroying;
  }

  async #destroyOnce(reason: DestroyReason): Promise<DestroyReport> {
    const startedAt = this.#clock.now();
    try {
      const report = await within(this.#clock, DESTROY_TIMEOUT_MS, this.#sandbox.destroy(reason));
      if (!report.isConfirmed) this.#destroying = null;
      return report;
    } catch {
      // The driver broke its promise; its sweep finds what is left.
      this.#destroying = null;
      return { isConfirmed: false, tookMs: this.#clock.now() - startedAt };
    }
  }
}

async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancelTimer = clock.after(ms, () => late.reject(new Error(`not done after ${ms} ms`)));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    cancelTimer();
  }
}
