import type { ChildProcess } from "node:child_process";
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
import { signalOf } from "../exit-status.ts";
import { exitWithin } from "../exit-within.ts";
import { killUntilGone } from "./kill-until-gone.ts";
import type { SandboxGroup } from "./sandbox-group.ts";

export interface ChildSandboxOptions {
  id: string;
  taskRoot: string;
  child: ChildProcess;
  group: SandboxGroup;
  /** The child is a program around the runtime that tells a signal of it as status 128 + number. */
  isWrapped: boolean;
  /** A control stream that ends is mostly a process that ends: so long it may take to say how before it is killed. */
  crashGraceMs: number;
  onProblem(problem: string): void;
  /** All of it is gone, once. */
  onGone(): void;
}

/**
 * One child process with everything that comes from it.
 * Life: running -> ended (by itself, killed for memory, or by `destroy`) -> gone (nothing of it runs, what was kept for it is removed).
 */
export class ChildSandbox implements SandboxHandle {
  readonly id: string;
  readonly taskRoot: string;
  readonly exited: Promise<SandboxExit>;
  readonly #options: ChildSandboxOptions;
  #hasExited = false;
  #isOutOfMemory = false;
  #isGone = false;
  #isLost = false;
  #destroying: Promise<DestroyReport> | null = null;

  constructor(options: ChildSandboxOptions) {
    this.id = options.id;
    this.taskRoot = options.taskRoot;
    this.#options = options;
    this.exited = new Promise((resolve) => {
      options.child.once("exit", (code, signal) => resolve(this.#onExit(code, signal)));
    });
  }

  /** `destroy` has not seen the end of it. */
  get isLost(): boolean {
    return this.#isLost;
  }

  get pid(): number {
    return this.#options.child.pid as number;
  }

  async applyLimits(limits: SandboxLimits): Promise<void> {
    if (this.#hasExited || this.#destroying !== null)
      throw new IsolaError("sandbox_start_failed", `${this.id} has ended`);
    try {
      this.#options.group.setLimits(limits);
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
    if (this.#hasExited || this.#destroying !== null) return false;
    return await this.#options.group.freeze();
  }

  async thaw(): Promise<void> {
    if (this.#hasExited || this.#destroying !== null)
      throw new IsolaError("sandbox_exited", `${this.id} has ended`);
    this.#options.group.thaw();
  }

  /** Ends the sandbox as one when the kernel has killed a part of it for memory, or a sample is above a limit. */
  endForMemory(): void {
    if (this.#hasExited) return;
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

  #onExit(code: number | null, signal: NodeJS.Signals | null): SandboxExit {
    this.#hasExited = true;
    const isWanted = this.#destroying !== null;
    const cause = this.#wasOutOfMemory() ? "out_of_memory" : null;
    // What was left beside the first process has no one any more.
    void this.destroy("crash");
    const inner = this.#options.isWrapped && code !== null ? signalOf(code) : null;
    const ended = signal ?? inner;
    const exitCode = ended === null ? code : null;
    if (cause !== null) return { cause, exitCode, signal: ended };
    if (isWanted && ended === "SIGKILL") return { cause: "destroyed", exitCode, signal: ended };
    return { cause: ended === null ? "exited" : "signalled", exitCode, signal: ended };
  }

  #wasOutOfMemory(): boolean {
    try {
      return this.#isOutOfMemory || this.#options.group.wasKilledForMemory();
    } catch (error) {
      this.#options.onProblem(`${this.id}: memory events cannot be read: ${messageOf(error)}`);
      return false;
    }
  }

  async #end(reason: DestroyReason): Promise<DestroyReport> {
    const startedAt = performance.now();
    const isSudden = reason === "crash" && !this.#isOutOfMemory;
    const graceMs = isSudden ? this.#options.crashGraceMs : 0;
    if (!this.#hasExited && graceMs > 0) await exitWithin(this.exited, graceMs);
    const isConfirmed = await this.#kill(startedAt + KILL_CONFIRM_MS);
    this.#isLost = !isConfirmed;
    const usage = await this.#usageAtEnd();
    if (isConfirmed) await this.#clear();
    else this.#options.onProblem(`${this.id}: not seen to be gone after ${KILL_CONFIRM_MS} ms`);
    return { isConfirmed, tookMs: performance.now() - startedAt, ...(usage && { usage }) };
  }

  /** What the kernel counted of those that have ended. */
  async #usageAtEnd(): Promise<SandboxUsage | null> {
    const { group } = this.#options;
    if (this.#isGone || !group.countsTheEnded) return null;
    return await group.usage().catch(() => null); // nobody depends on it
  }

  #kill(deadline: number): Promise<boolean> {
    const { group, child, onProblem } = this.#options;
    const killed = {
      id: this.id,
      group,
      exited: this.exited,
      hasExited: () => this.#hasExited,
      kill: () => child.kill("SIGKILL"),
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
