import type { ChannelEnd, Ready, SandboxLog } from "@isola/protocol/channel-types";
import { HostChannel } from "@isola/protocol/host-channel";
import type { EventLoop } from "../domain/clock.ts";
import type { DeployedFunction } from "../domain/function.ts";
import type {
  DestroyReason,
  RuntimeSpec,
  Sandbox,
  SandboxExit,
  SandboxUsage,
  StartedFrom,
} from "../drivers/driver.ts";
import { messageOf } from "../errors.ts";
import type { MemoryHolder } from "./memory-budget.ts";
import { SandboxReadings } from "./sandbox-readings.ts";
import { type SandboxState, assertMove } from "./sandbox-state.ts";

const UNCONFIRMED_RETRY_MS = 30_000;
/** A process whose stream has ended is waited for this long to say how. */
const EXIT_NEWS_MS = 1000;

/** What a sandbox tells of itself while it lives. */
export interface SandboxEvents {
  onLog(sandbox: PooledSandbox, log: SandboxLog): void;
  /** Bytes written to descriptors 1 and 2 behind the runtime's back. */
  onRaw(sandbox: PooledSandbox, stream: "stdout" | "stderr", bytes: Buffer): void;
  /** Nothing of it runs any more: what was reserved for it is free. */
  onGone(sandbox: PooledSandbox): void;
  /** It will not be handed out again. */
  onDead(sandbox: PooledSandbox, reason: DestroyReason): void;
}

/** Whoever has the sandbox at the moment: a blank pool, a start, a revision's pool. */
export interface SandboxOwner {
  /** Whose function the sandbox serves; null: nobody's, it is blank or of a build. */
  readonly countsFor: DeployedFunction | null;
  /** The sandbox is dead (state `dead`); it will not be handed out again. */
  onDead(sandbox: PooledSandbox, reason: DestroyReason, detail: string): void;
  /** Nothing of it runs any more; its slot is free. */
  onGone(sandbox: PooledSandbox): void;
}

/** Hears until when a sandbox has to be done, so that its end does not depend on this process. */
export interface SandboxWatch {
  add(sandbox: PooledSandbox, dueAt: number): void;
  /** Nothing runs inside any more. */
  remove(sandbox: PooledSandbox): void;
}

/** One sandbox with its channel. The state has one writer, `#move`; its life is the table in `sandbox-state.ts`. */
export class PooledSandbox {
  readonly id: string;
  readonly runtime: RuntimeSpec;
  readonly channel: HostChannel;
  readonly driver: string;
  readonly readings: SandboxReadings;
  /** What it had used when nothing of it ran any more; null: not yet, or not seen. */
  finalUsage: SandboxUsage | null = null;
  /** Start until the runtime had booted. */
  startMs = 0;
  readonly tmpMiB: number;
  /** What the memory budget holds for it. */
  reservedMiB: number;
  holder: MemoryHolder | null;
  owner: SandboxOwner | null = null;
  ready: Ready | null = null;
  initMs = 0;
  /** Monotonic ms; when init was over. */
  readyAt = 0;
  /** Monotonic ms. */
  idleSince = 0;
  /** From `idleSince` on. */
  keepMs = 0;
  /** Invocations so far. */
  uses = 0;
  /** Clock of the order of eviction when it was used last. */
  evictionMark = 0;
  /** Invocations inside. */
  running = 0;
  /** Its pool offers it to the next caller. */
  isListed = false;
  /** It goes, once it is empty, for a project that has less. */
  isYielded = false;
  /** Monotonic ms; kept by the watch. */
  dueAt = 0;
  toldDueAt = 0;
  #sandbox: Sandbox;
  #loop: EventLoop;
  #events: SandboxEvents;
  #watch: SandboxWatch;
  #state: SandboxState = "starting";
  #destroying: Promise<void> | null = null;

  constructor(
    sandbox: Sandbox,
    given: {
      driver: string;
      runtime: RuntimeSpec;
      tmpMiB: number;
      reservedMiB: number;
      holder: MemoryHolder | null;
      loop: EventLoop;
      watch: SandboxWatch;
    },
    events: SandboxEvents,
  ) {
    this.#watch = given.watch;
    this.driver = given.driver;
    this.id = sandbox.id;
    this.runtime = given.runtime;
    this.tmpMiB = given.tmpMiB;
    this.reservedMiB = given.reservedMiB;
    this.holder = given.holder;
    this.#sandbox = sandbox;
    this.#loop = given.loop;
    this.#events = events;
    this.readings = new SandboxReadings(this, () => sandbox.usage());
    this.channel = new HostChannel(
      sandbox.control,
      {
        onLog: (log) => events.onLog(this, log),
        onEnd: (end) => this.#onChannelEnd(end),
      },
      given.loop.soon,
    );
    sandbox.stdout.on("data", (bytes: Buffer) => events.onRaw(this, "stdout", bytes));
    sandbox.stderr.on("data", (bytes: Buffer) => events.onRaw(this, "stderr", bytes));
    void sandbox.exited.then(() => this.channel.end("the sandbox's process has ended"));
  }

  get state(): SandboxState {
    return this.#state;
  }

  get startedFrom(): StartedFrom {
    return this.#sandbox.startedFrom ?? "boot";
  }

  get taskRoot(): string {
    return this.#sandbox.taskRoot;
  }

  /** How the process ended; without a cause when nothing was heard of it in that time, or in a second. */
  exitWithin(ms: number): Promise<SandboxExit> {
    return new Promise((resolve) => {
      const cancelTimer = this.#loop.after(Math.max(0, Math.min(ms, EXIT_NEWS_MS)), () =>
        resolve({ cause: "exited", exitCode: null, signal: null }),
      );
      void this.#sandbox.exited.then((exit) => {
        cancelTimer();
        resolve(exit);
      });
    });
  }

  applyLimits(limits: { memoryBytes: number; pidsMax: number }): Promise<void> {
    return this.#sandbox.applyLimits(limits);
  }

  usage(): Promise<SandboxUsage> {
    return this.#sandbox.usage();
  }

  booted(): void {
    this.#move("blank");
  }

  claim(): void {
    this.#move("claimed");
  }

  /** Nothing runs inside, and the next call may come. */
  get isIdle(): boolean {
    return this.#state === "idle" || this.#state === "frozen";
  }

  /** What runs inside has to be over by then (monotonic ms). */
  dueBy(ms: number): void {
    if (this.#state !== "dead") this.#watch.add(this, ms);
  }

  /** Init is over. */
  open(ready: Ready, nowMs: number): void {
    this.ready = ready;
    this.readyAt = nowMs;
    this.#watch.remove(this);
    this.#move("idle");
  }

  enter(): void {
    this.running += 1;
    this.uses += 1;
    const state = this.#state;
    if (state !== "idle" && state !== "frozen") return;
    this.#move("busy");
    if (state === "frozen") void this.#thaw();
  }

  leave(nowMs: number): void {
    this.running -= 1;
    if (this.running > 0) return;
    this.#watch.remove(this);
    if (this.#state !== "busy") return;
    this.idleSince = nowMs;
    this.#move("idle");
  }

  /** Stops an idle sandbox until its next call. Where the driver cannot, it counts as frozen too and runs on; the driver's probe says so. */
  freeze(): void {
    if (this.#state !== "idle") return;
    this.#move("frozen");
    this.#sandbox.freeze().catch(() => {}); // it runs on, or has ended and its end is told
  }

  /** No further invocation; those inside may finish. */
  drain(): void {
    if (this.isIdle || this.#state === "busy") this.#move("draining");
  }

  /** Idempotent. Resolves when nothing of the sandbox runs any more. */
  destroy(reason: DestroyReason, detail: string = reason): Promise<void> {
    if (this.#destroying !== null) return this.#destroying;
    this.#move("dead");
    this.#watch.remove(this);
    this.#destroying = this.#untilGone(reason).then(() => {
      this.#events.onGone(this);
      this.owner?.onGone(this);
    });
    this.channel.end(detail);
    this.#events.onDead(this, reason);
    this.owner?.onDead(this, reason, detail);
    return this.#destroying;
  }

  /** What was not seen to be gone still has its memory and its slot; the driver's sweep goes on killing it. */
  async #untilGone(reason: DestroyReason): Promise<void> {
    for (;;) {
      const { isConfirmed, usage } = await this.#sandbox.destroy(reason);
      if (usage !== undefined) {
        this.finalUsage = usage;
        this.readings.ended(usage);
      }
      if (isConfirmed) return;
      await new Promise<void>((resolve) => this.#loop.after(UNCONFIRMED_RETRY_MS, resolve));
    }
  }

  /** What is written to the sandbox meanwhile waits in its socket. A sandbox that cannot be thawed is of no use. */
  async #thaw(): Promise<void> {
    try {
      await this.#sandbox.thaw();
    } catch (error) {
      void this.destroy("crash", `it could not be thawed: ${messageOf(error)}`);
    }
  }

  #onChannelEnd(end: ChannelEnd): void {
    void this.destroy(end.isBreach ? "protocol_error" : "crash", end.reason);
  }

  #move(to: SandboxState): void {
    assertMove(this.#state, to);
    this.#state = to;
  }
}
