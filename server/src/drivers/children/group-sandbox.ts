import { IsolaError, messageOf } from "../../errors.ts";
import {
  type DestroyReason,
  type DestroyReport,
  KILL_CONFIRM_MS,
  type SandboxExit,
  type SandboxHandle,
  type SandboxLimits,
  type SandboxUsage,
} from "../driver.ts";
import { exitWithin } from "../exit-within.ts";
import { type Killed, killUntilGone } from "./kill-until-gone.ts";
import type { SandboxGroup } from "./sandbox-group.ts";

export interface GroupSandboxOptions {
  id: string;
  taskRoot: string;
  group: SandboxGroup;
  /** A control stream that ends is mostly a process that ends: so long it may take to say how before it is killed. */
  crashGraceMs: number;
  onProblem(problem: string): void;
  /** All of it is gone, once. */
  onGone(): void;
}

/**
 * A sandbox that is a group of processes below one child of the server.
 * Life: running -> ended (by itself, killed for memory, or by `destroy`) -> gone (nothing of it runs, what was kept for it is removed).
 */
export abstract class GroupSandbox implements SandboxHandle {
  readonly id: string;
  readonly taskRoot: string;
  abstract readonly exited: Promise<SandboxExit>;
  readonly #options: GroupSandboxOptions;
  #isOutOfMemory = false;
  #isGone = false;
  #isLost = false;
  #destroying: Promise<DestroyReport> | null = null;

  constructor(options: GroupSandboxOptions) {
    this.id = options.id;
    this.taskRoot = options.taskRoot;
    this.#options = options;
  }

  /** `exited` has resolved, or is about to. */
  protected abstract hasExited(): boolean;

  /** The child of the server that is to be reaped. */
  protected abstract firstProcess(): Pick<Killed, "exited" | "hasExited" | "kill">;

  /** Rejects when they cannot be put in force. */
  protected abstract setLimits(limits: SandboxLimits): void | Promise<void>;

  /** `destroy` has not seen the end of it. */
  get isLost(): boolean {
    return this.#isLost;
  }

  async applyLimits(limits: SandboxLimits): Promise<void> {
    if (this.hasEnded) throw new IsolaError("sandbox_start_failed", `${this.id} has ended`);
    try {
      await this.setLimits(limits);
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
    if (this.hasEnded) return false;
    return await this.#options.group.freeze();
  }

  async thaw(): Promise<void> {
    if (this.hasEnded) throw new IsolaError("sandbox_exited", `${this.id} has ended`);
    this.#options.group.thaw();
  }

  /** Ends the sandbox as one when a kernel has killed a part of it for memory, or a sample is above a limit. */
  endForMemory(): void {
    if (this.hasExited()) return;
    this.#isOutOfMemory = true;
    void this.destroy("crash");
  }

  destroy(reason: DestroyReason): Promise<DestroyReport> {
    this.#destroying ??= this.#end(reason);
    return this.#destroying;
  }

  /** Kills once more what an earlier `destroy` could not confirm. */
  async retryDestroy(): Promise<boolean> {
    this.#destroying = this.#end("shutdown");
    return (await this.#destroying).isConfirmed;
  }

  protected get isDestroyed(): boolean {
    return this.#destroying !== null;
  }

  /** It was told so; a group may know more: `wasOutOfMemory`. */
  protected get isOutOfMemory(): boolean {
    return this.#isOutOfMemory;
  }

  protected get hasEnded(): boolean {
    return this.hasExited() || this.isDestroyed;
  }

  protected tell(problem: string): void {
    this.#options.onProblem(`${this.id}: ${problem}`);
  }

  protected wasOutOfMemory(): boolean {
    try {
      return this.#isOutOfMemory || this.#options.group.wasKilledForMemory();
    } catch (error) {
      this.tell(`memory events cannot be read: ${messageOf(error)}`);
      return false;
    }
  }

  async #end(reason: DestroyReason): Promise<DestroyReport> {
    const { crashGraceMs, group, onProblem } = this.#options;
    const startedAt = performance.now();
    const isSudden = reason === "crash" && !this.#isOutOfMemory;
    if (isSudden && crashGraceMs > 0 && !this.hasExited())
      await exitWithin(this.exited, crashGraceMs);
    const killed = { id: this.id, group, onProblem, ...this.firstProcess() };
    const isConfirmed = await killUntilGone(killed, startedAt + KILL_CONFIRM_MS);
    this.#isLost = !isConfirmed;
    const usage = await this.#usageAtEnd();
    if (isConfirmed) await this.#clear();
    else this.tell(`not seen to be gone after ${KILL_CONFIRM_MS} ms`);
    return { isConfirmed, tookMs: performance.now() - startedAt, ...(usage && { usage }) };
  }

  /** What the kernel counted of those that have ended. */
  async #usageAtEnd(): Promise<SandboxUsage | null> {
    const { group } = this.#options;
    if (this.#isGone || !group.countsTheEnded) return null;
    return await group.usage().catch(() => null); // nobody depends on it
  }

  async #clear(): Promise<void> {
    if (this.#isGone) return;
    this.#isGone = true;
    try {
      await this.#options.group.remove();
    } catch (error) {
      this.tell(messageOf(error));
    }
    this.#options.onGone();
  }
}
