import { setTimeout as delay } from "node:timers/promises";
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
import type { ContainerGroup } from "./container-group.ts";
import { TASK_ROOT } from "./container-options.ts";

/** A control stream that ends is mostly a process that ends: it may say how before it is killed. The engine takes its time to tell. */
const CRASH_GRACE_MS = 200;
/** The engine tells of an end that long after it, when it is slow. */
const END_TOLD_MS = 2000;
const CONFIRM_STEP_MS_MAX = 50;
const REMOVE_TRIES = 5;
/** Of a process that SIGKILL has ended. */
const KILLED_STATUS = 128 + 9;

export interface DockerSandboxOptions {
  id: string;
  containerId: string;
  group: ContainerGroup;
  /** What the container may take for a function with these limits. */
  containerLimits(limits: SandboxLimits): SandboxLimits;
  /** What the engine says of a container that has ended; asked where its groups cannot be looked at from here. */
  endedForMemory(): Promise<boolean>;
  /** What the gateway does not take of its output holds up its end no longer. */
  hurryOutput(): void;
  /** Removes the container, which has ended. */
  removeContainer(): Promise<void>;
  onProblem(problem: string): void;
  /** All of it is gone, once: nothing runs any more, and the container is removed. */
  onGone(): void;
}

/**
 * One container. Life: running -> ended (by itself, killed for memory, by a person, or by `destroy`) -> gone (nothing of it runs; the container is removed a little
 * later).
 */
export class DockerSandbox implements SandboxHandle {
  readonly id: string;
  readonly containerId: string;
  readonly taskRoot = TASK_ROOT;
  readonly exited: Promise<SandboxExit>;
  readonly #options: DockerSandboxOptions;
  readonly #end = Promise.withResolvers<SandboxExit>();
  #hasExited = false;
  #isOutOfMemory = false;
  #isKilled = false;
  #isKilledByPerson = false;
  #isGone = false;
  #isLost = false;
  #destroying: Promise<DestroyReport> | null = null;
  #removing: Promise<void> = Promise.resolve();

  constructor(options: DockerSandboxOptions) {
    this.id = options.id;
    this.containerId = options.containerId;
    this.exited = this.#end.promise;
    this.#options = options;
  }

  /** `destroy` has not seen the end of it. */
  get isLost(): boolean {
    return this.#isLost;
  }

  get isFrozenByEngine(): boolean {
    return this.#options.group.isByEngine;
  }

  /** Resolves when the container is removed, as far as that has begun. */
  get removed(): Promise<void> {
    return this.#removing;
  }

  async applyLimits(limits: SandboxLimits): Promise<void> {
    if (this.#hasEnded) throw new IsolaError("sandbox_start_failed", `${this.id} has ended`);
    const { group, containerLimits } = this.#options;
    try {
      await group.setLimits(containerLimits(limits));
    } catch (error) {
      const text = `the limits of ${this.id} could not be put in force: ${messageOf(error)}`;
      throw new IsolaError("sandbox_start_failed", text, { cause: error });
    }
  }

  async usage(): Promise<SandboxUsage> {
    const unknown = { memoryBytes: null, cpuMicros: null, pids: null };
    if (this.#isGone) return unknown;
    return await this.#options.group.usage();
  }

  async freeze(): Promise<boolean> {
    if (this.#hasEnded) return false;
    return await this.#options.group.freeze();
  }

  async thaw(): Promise<void> {
    if (this.#hasEnded) throw new IsolaError("sandbox_exited", `${this.id} has ended`);
    await this.#options.group.thaw();
  }

  wasKilledForMemory(): boolean {
    return this.#options.group.wasKilledForMemory();
  }

  /** Ends the sandbox as one when a part of it was killed for memory. */
  endForMemory(): void {
    if (this.#hasExited) return;
    this.#isOutOfMemory = true;
    void this.destroy("crash");
  }

  /** The first process has ended; null: nobody knows how. */
  async onDied(exitCode: number | null): Promise<void> {
    const { group, endedForMemory } = this.#options;
    const isKilled = exitCode === KILLED_STATUS && !this.#isKilled;
    if (group.isByEngine && isKilled)
      this.#isOutOfMemory ||= await endedForMemory().catch(() => false); // it does not answer: a crash
    this.#settle(this.#exitOf(exitCode));
    void this.destroy("crash");
  }

  /** A person has sent it a signal. What stands still would never get it. */
  onSignalled(): void {
    if (this.#isKilled || this.#hasExited) return;
    this.#isKilledByPerson = true;
    this.#options.onProblem(`${this.id}: somebody has sent its container a signal`);
    void this.#options.group.thaw().catch(() => {}); // it has ended
  }

  /** A person has paused it: no deadline could be kept by it any more. */
  onPaused(): void {
    if (this.#hasEnded) return;
    this.#options.onProblem(`${this.id}: somebody has paused its container, so it is ended`);
    void this.destroy("crash");
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
    this.#hasExited = true;
    this.#end.resolve(exit);
  }

  #exitOf(exitCode: number | null): SandboxExit {
    const signal = exitCode === null ? null : signalOf(exitCode);
    const own = signal === null ? exitCode : null;
    if (this.#wasOutOfMemory(signal)) return { cause: "out_of_memory", exitCode: own, signal };
    if (this.#isKilled && (signal === "SIGKILL" || exitCode === null))
      return { cause: "destroyed", exitCode: null, signal: "SIGKILL" };
    return { cause: signal === null ? "exited" : "signalled", exitCode: own, signal };
  }

  /** The counter of the group may be gone with it; then a SIGKILL that nobody has sent, at the limit, was the kernel's. */
  #wasOutOfMemory(signal: NodeJS.Signals | null): boolean {
    const { group, onProblem } = this.#options;
    try {
      if (this.#isOutOfMemory || group.wasKilledForMemory()) return true;
      const isUnsent = !this.#isKilled && !this.#isKilledByPerson;
      return signal === "SIGKILL" && isUnsent && group.hasHitMemoryLimit();
    } catch (error) {
      onProblem(`${this.id}: memory events cannot be read: ${messageOf(error)}`);
      return false;
    }
  }

  async #destroy(reason: DestroyReason): Promise<DestroyReport> {
    const startedAt = performance.now();
    const graceMs = reason === "crash" && !this.#isOutOfMemory ? CRASH_GRACE_MS : 0;
    await this.#letEnd(graceMs);
    const isConfirmed = await this.#kill(startedAt + KILL_CONFIRM_MS);
    this.#isLost = !isConfirmed;
    if (!isConfirmed)
      this.#options.onProblem(`${this.id}: not seen to be gone after ${KILL_CONFIRM_MS} ms`);
    const usage = await this.#usageAtEnd();
    if (isConfirmed && !this.#isGone) {
      this.#isGone = true;
      this.#removing = this.#remove();
    }
    return { isConfirmed, tookMs: performance.now() - startedAt, ...(usage && { usage }) };
  }

  /** What the kernel counted of those that have ended; an engine does not tell it any more. */
  async #usageAtEnd(): Promise<SandboxUsage | null> {
    const { group } = this.#options;
    if (this.#isGone || group.isByEngine) return null;
    return await group.usage().catch(() => null); // nobody depends on it
  }

  /** Where it has ended by itself, the engine will say how. */
  async #letEnd(graceMs: number): Promise<void> {
    const until = performance.now() + graceMs;
    for (;;) {
      if (this.#hasExited) return;
      if (await this.#isEmpty()) return await exitWithin(this.exited, END_TOLD_MS);
      if (performance.now() >= until) return;
      await exitWithin(this.exited, 10);
    }
  }

  async #kill(deadline: number): Promise<boolean> {
    const { group, onProblem, hurryOutput } = this.#options;
    let told = "";
    hurryOutput();
    for (let pass = 0; ; pass += 1) {
      try {
        if (!(await group.isEmpty())) {
          this.#isKilled = true;
          await group.kill(pass > 0);
        }
        if (await group.isEmpty()) break;
      } catch (error) {
        const text = messageOf(error);
        if (text !== told) onProblem(`${this.id}: kill ${pass}: ${text}`);
        told = text;
      }
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      await delay(Math.min(2 ** Math.min(pass, 10), CONFIRM_STEP_MS_MAX, leftMs));
    }
    if (!this.#hasExited) this.#settle(this.#exitOf(this.#isKilled ? KILLED_STATUS : null));
    return true;
  }

  async #isEmpty(): Promise<boolean> {
    return await this.#options.group.isEmpty().catch(() => false); // the kill will say why
  }

  /** What cannot be removed now is found by a sweep. */
  async #remove(): Promise<void> {
    const { removeContainer, group, onProblem, onGone } = this.#options;
    for (let tries = 1; ; tries += 1) {
      try {
        await removeContainer();
        group.remove();
        return onGone();
      } catch (error) {
        if (tries < REMOVE_TRIES) {
          await delay(100 * 2 ** tries);
          continue;
        }
        onProblem(`${this.id}: its container could not be removed: ${messageOf(error)}`);
        return onGone();
      }
    }
  }
}
