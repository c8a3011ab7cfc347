import type { SandboxExit, SandboxLimits, StartedFrom } from "../driver.ts";
import { GroupSandbox, type GroupSandboxOptions } from "../children/group-sandbox.ts";
import type { Agent } from "./agent.ts";
import { requireRoom } from "./machine-shape.ts";
import type { Machine, MachineShape } from "./vmm.ts";

/** Init may say how the runtime has ended before the machine is killed. */
const CRASH_GRACE_MS = 50;

export interface MicrovmSandboxOptions
  extends Omit<GroupSandboxOptions, "taskRoot" | "crashGraceMs"> {
  machine: Machine;
  agent: Agent;
  shape: MachineShape;
  startedFrom: StartedFrom;
}

type GuestExit = Pick<SandboxExit, "exitCode" | "signal">;

/** One machine with one function: it ends as init says, as the VMM ends, or by `destroy`. */
export class MicrovmSandbox extends GroupSandbox {
  readonly startedFrom: StartedFrom;
  readonly exited: Promise<SandboxExit>;
  readonly #options: MicrovmSandboxOptions;
  readonly #ended = Promise.withResolvers<SandboxExit>();
  #hasExited = false;
  #isStopped = false;

  constructor(options: MicrovmSandboxOptions) {
    super({ ...options, taskRoot: "/var/task", crashGraceMs: CRASH_GRACE_MS });
    this.startedFrom = options.startedFrom;
    this.exited = this.#ended.promise;
    this.#options = options;
    void options.machine.exited.then(({ text }) => this.#onStopped(text));
  }

  /** The first process in the guest has ended. */
  onGuestExit({ exitCode, signal }: GuestExit): void {
    const how = signal === null ? "exited" : "signalled";
    const cause = this.isOutOfMemory ? "out_of_memory" : how;
    this.#settle({ cause, exitCode, signal });
    void this.destroy("crash");
  }

  override async thaw(): Promise<void> {
    await super.thaw();
    // Nobody waits for it: a guest's clock stands still for no longer than its machine, but may go wrong by a little.
    this.#options.agent.keepTime(epochNs).catch(() => {});
  }

  protected hasExited(): boolean {
    return this.#hasExited;
  }

  protected firstProcess() {
    const { machine } = this.#options;
    return {
      exited: machine.exited,
      hasExited: () => this.#isStopped,
      kill: () => machine.kill(),
    };
  }

  protected async setLimits(limits: SandboxLimits): Promise<void> {
    const { shape, agent } = this.#options;
    requireRoom(shape, limits);
    await agent.setLimits(limits);
  }

  #settle(exit: SandboxExit): void {
    if (this.#hasExited) return;
    this.#hasExited = true;
    this.#ended.resolve(exit);
  }

  /** The VMM's process has ended; before init has said anything, that is how the sandbox ended. */
  #onStopped(text: string): void {
    this.#isStopped = true;
    if (!this.#hasExited) {
      if (!this.isDestroyed) this.tell(`its machine has ended: ${text}`);
      const cause = this.isDestroyed ? "destroyed" : "exited";
      const exit = { exitCode: null, signal: this.isDestroyed ? "SIGKILL" : null } as const;
      this.#settle({ cause: this.wasOutOfMemory() ? "out_of_memory" : cause, ...exit });
    }
    void this.destroy("crash");
  }
}

export function epochNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
