import { IsolaError, messageOf } from "../../errors.ts";
import {
  type DestroyReason,
  type DestroyReport,
  KILL_CONFIRM_MS,
  type SandboxExit,
  type SandboxHandle,
  type SandboxLimits,
  type SandboxUsage,
  type StartedFrom,
} from "../driver.ts";
import { exitWithin } from "../exit-within.ts";
import { killUntilGone } from "../children/kill-until-gone.ts";
import type { SandboxGroup } from "../children/sandbox-group.ts";
import type { Agent } from "./agent.ts";
import { requireRoom } from "./machine-shape.ts";
import type { Machine, MachineShape } from "./vmm.ts";

/** A control stream that ends is mostly a machine that ends: init may say how before it is killed. */
const CRASH_GRACE_MS = 50;

export interface MicrovmSandboxOptions {
  id: string;
  machine: Machine;
  agent: Agent;
  shape: MachineShape;
  group: SandboxGroup;
  startedFrom: StartedFrom;
  onProblem(problem: string): void;
  /** All of it is gone, once. */
  onGone(): void;
}

type GuestExit = Pick<SandboxExit, "exitCode" | "signal">;

/** One machine with one function: running -> ended (as init says, as the VMM ends, or by `destroy`) -> gone (the VMM does not run, what was kept for it is removed). */
export class MicrovmSandbox implements SandboxHandle {
  readonly id: string;
  readonly taskRoot = "/var/task";
  readonly startedFrom: StartedFrom;
  readonly exited: Promise<SandboxExit>;
  readonly #options: MicrovmSandboxOptions;
  readonly #end = Promise.withResolvers<SandboxExit>();
  #hasExited = false;
  #isStopped = false;
  #isOutOfMemory = false;
  #isGone = false;
  #isLost = false;
  #destroying: Promise<DestroyReport> | null = null;

  constructor(options: MicrovmSandboxOptions) {
    this.id = options.id;
    this.startedFrom = options.startedFrom;
    this.exited = this.#end.promise;
    this.#options = options;
    void options.machine.exited.then(({ text }) => this.#onStopped(text));
  }

  /** `destroy` has not seen the end of it. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** The first process in the guest has ended. */
  onGuestExit({ exitCode, signal }: GuestExit): void {
    if (this.#isOutOfMemory) this.#settle({ cause: "out_of_memory", exitCode, signal });
    else this.#settle({ cause: signal === null ? "exited" : "signalled", exitCode, signal });
    void this.destroy("crash");
  }

  /** Its kernel, or that of the host, has killed something of it for memory. */
  endForMemory(): void {
    if (this.#hasExited) return;
    this.#isOutOfMemory = true;
    void this.destroy("crash");
  }

  async applyLimits(limits: SandboxLimits): Promise<void> {
    const { shape, agent } = this.#options;
    if (this.#hasEnded) throw new IsolaError("sandbox_start_failed", `${this.id} has ended`);
    try {
      requireRoom(shape, limits);
      await agent.setLimits(limits);
    } catch (error) {
      const text = `the limits of ${this.id} could not be put in force: ${messageOf(error)}`;
      throw new IsolaError("sandbox_start_failed", text, { cause: error });
    }
  }

  async usage(): Promise<SandboxUsage> {
    if (this.#isGone) return { memoryBytes: null, cpuMicros: null, pids: null };
    return await this.#options.group.usage();
  }

  async freeze(): Promise<boolean> {
    if (this.#hasEnded) return false;
    return await this.#options.group.freeze();
  }

  async thaw(): Promise<void> {
    if (this.#hasEnded) throw new IsolaError("sandbox_exited", `${this.id} has ended`);
    this.#options.group.thaw();
    // Nobody waits for it: a guest's clock stands still for no longer than its machine, but may go wrong by a little.
    this.#options.agent.keepTime(epochNs).catch(() => {});
  }

  destroy(reason: DestroyReason): Promise<DestroyReport> {
    this.#destroying ??= this.#destroy(reason);
    return this.#destroying;
  }

  /** Kills once more what an earlier `destroy` could not confirm. */
  async retryDestroy(): Promise<boolean> {
    this.#destroying = this.#destroy("shutdown");
    return (await this.#destroying).isConfirmed;
  }

  get #hasEnded(): boolean {
    return this.#hasExited || this.#destroying !== null;
  }

  #settle(exit: SandboxExit): void {
    if (this.#hasExited) return;
    this.#hasExited = true;
    this.#end.resolve(exit);
  }

  /** The VMM's process has ended; before init has said anything, that is how the sandbox ended. */
  #onStopped(text: string): void {
    this.#isStopped = true;
    if (!this.#hasExited) {
      const isWanted = this.#destroying !== null;
      if (!isWanted) this.#options.onProblem(`${this.id}: its machine has ended: ${text}`);
      const cause = isWanted ? "destroyed" : "exited";
      const exit = { exitCode: null, signal: isWanted ? "SIGKILL" : null };
      this.#settle({ cause: this.#wasOutOfMemory() ? "out_of_memory" : cause, ...exit });
    }
    void this.destroy("crash");
  }

  #wasOutOfMemory(): boolean {
    try {
      return this.#isOutOfMemory || this.#options.group.wasKilledForMemory();
    } catch (error) {
      this.#options.onProblem(`${this.id}: memory events cannot be read: ${messageOf(error)}`);
      return false;
    }
  }

  async #destroy(reason: DestroyReason): Promise<DestroyReport> {
    const startedAt = performance.now();
    const isCrash = reason === "crash" && !this.#isOutOfMemory;
    if (isCrash && !this.#hasExited) await exitWithin(this.exited, CRASH_GRACE_MS);
    const isConfirmed = await this.#kill(startedAt + KILL_CONFIRM_MS);
    this.#isLost = !isConfirmed;
    if (isConfirmed) await this.#clear();
    else this.#options.onProblem(`${this.id}: not seen to be gone after ${KILL_CONFIRM_MS} ms`);
    return { isConfirmed, tookMs: performance.now() - startedAt };
  }

  #kill(deadline: number): Promise<boolean> {
    const { group, machine, onProblem } = this.#options;
    const killed = {
      id: this.id,
      group,
      exited: machine.exited,
      hasExited: () => this.#isStopped,
      kill: () => machine.kill(),
      onProblem,
    };
    return killUntilGone(killed, deadline);
  }

  async #clear(): Promise<void> {
    if (this.#isGone) return;
    this.#isGone = true;
    try {
      await this.#options.group.remove();
    } catch (error) {
      this.#options.onProblem(`${this.id}: ${messageOf(error)}`);
    }
    this.#options.onGone();
  }
}

export function epochNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
