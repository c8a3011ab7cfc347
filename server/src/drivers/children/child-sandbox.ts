import type { ChildProcess } from "node:child_process";
import type { SandboxExit, SandboxLimits, StartedFrom } from "../driver.ts";
import { signalOf } from "../exit-status.ts";
import { GroupSandbox, type GroupSandboxOptions } from "./group-sandbox.ts";

export interface ChildSandboxOptions extends GroupSandboxOptions {
  child: ChildProcess;
  /** The child is a program around the runtime that tells a signal of it as status 128 + number. */
  isWrapped: boolean;
  /** Left out: `boot`. */
  startedFrom?: StartedFrom;
}

/** One child process with everything that comes from it: it ends as the child does. */
export class ChildSandbox extends GroupSandbox {
  readonly startedFrom: StartedFrom;
  readonly exited: Promise<SandboxExit>;
  readonly #options: ChildSandboxOptions;
  #hasExited = false;

  constructor(options: ChildSandboxOptions) {
    super(options);
    this.#options = options;
    this.startedFrom = options.startedFrom ?? "boot";
    this.exited = new Promise((resolve) => {
      options.child.once("exit", (code, signal) => resolve(this.#onExit(code, signal)));
    });
  }

  get pid(): number {
    return this.#options.child.pid as number;
  }

  protected hasExited(): boolean {
    return this.#hasExited;
  }

  protected firstProcess() {
    return {
      exited: this.exited,
      hasExited: () => this.#hasExited,
      kill: () => this.#options.child.kill("SIGKILL"),
    };
  }

  protected setLimits(limits: SandboxLimits): void {
    this.#options.group.setLimits(limits);
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): SandboxExit {
    this.#hasExited = true;
    const isWanted = this.isDestroyed;
    const cause = this.wasOutOfMemory() ? "out_of_memory" : null;
    // What was left beside the first process has no one any more.
    void this.destroy("crash");
    const inner = this.#options.isWrapped && code !== null ? signalOf(code) : null;
    const ended = signal ?? inner;
    const exitCode = ended === null ? code : null;
    if (cause !== null) return { cause, exitCode, signal: ended };
    if (isWanted && ended === "SIGKILL") return { cause: "destroyed", exitCode, signal: ended };
    return { cause: ended === null ? "exited" : "signalled", exitCode, signal: ended };
  }
}
