import { Readable } from "node:stream";
import type { InitSettings } from "@isola/protocol/channel-types";
import type {
  DestroyReason,
  DestroyReport,
  Sandbox,
  SandboxExit,
  SandboxLimits,
  SandboxSpec,
} from "../../src/drivers/driver.ts";
import { BytePipe } from "./byte-pipe.ts";
import type { Nature } from "./nature.ts";
import type { NewsHow } from "./profile.ts";
import { type RuntimeHost, SimulatedRuntime } from "./simulated-runtime.ts";

const UNCONFIRMED_MAX = 2;

/** What a sandbox is heard to be told, for whoever compares it with what was promised. */
export interface SandboxObserver {
  onInit(sandbox: SimulatedSandbox, settings: InitSettings): void;
  onInvoke(sandbox: SimulatedSandbox, invocation: string, open: number): void;
}

/** A process that does what the profile says, and news of it that come when they come. `alive -> dead`; whether its end is confirmed is another matter. */
export class SimulatedSandbox implements Sandbox, RuntimeHost {
  readonly id: string;
  readonly taskRoot = "/var/task";
  readonly stdout = new Readable({ read() {} });
  readonly stderr = this.stdout;
  readonly exited: Promise<SandboxExit>;
  readonly spec: SandboxSpec;
  isAlive = true;
  isReady = false;
  init: InitSettings | null = null;
  readonly #nature: Nature;
  readonly #observer: SandboxObserver;
  readonly #pipe: BytePipe;
  readonly #runtime: SimulatedRuntime;
  #tellExit: (exit: SandboxExit) => void = () => {};
  #hasEnded = false;
  #destroyedAt = 0;
  #unconfirmed = 0;

  constructor(nature: Nature, spec: SandboxSpec, observer: SandboxObserver) {
    this.id = spec.id;
    this.spec = spec;
    this.#nature = nature;
    this.#observer = observer;
    this.exited = new Promise((resolve) => {
      this.#tellExit = resolve;
    });
    this.#pipe = new BytePipe(nature);
    this.#runtime = new SimulatedRuntime(nature, this);
    this.#pipe.onBytes = (bytes) => {
      if (this.isAlive) this.#runtime.receive(bytes);
    };
    this.#runtime.boot();
    const { random, profile, loop } = nature;
    if (random.chance(profile.deathChance))
      loop.later(random.between(0, 4000), () => this.die("of itself"));
  }

  get control() {
    return this.#pipe.host;
  }

  send(bytes: Buffer): void {
    if (this.isAlive) this.#pipe.send(bytes);
  }

  onInit(settings: InitSettings): void {
    this.init = settings;
    this.#observer.onInit(this, settings);
  }

  onReady(): void {
    this.isReady = true;
  }

  onInvoke(invocation: string, open: number): void {
    this.#observer.onInvoke(this, invocation, open);
  }

  /** The process ends by itself. */
  die(why: string): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#nature.watch.say(() => `${this.id} dies ${why}`);
    const { random, profile } = this.#nature;
    const cause = random.chance(0.3) ? "out_of_memory" : "exited";
    this.#news(random.weighted(profile.exit), () =>
      this.#tellExit({ cause, exitCode: 1, signal: null }),
    );
    this.#news(random.weighted(profile.end), () => this.#pipe.end());
  }

  applyLimits(limits: SandboxLimits): Promise<void> {
    const { random, profile, loop, watch } = this.#nature;
    const how = random.weighted(profile.limits);
    watch.say(() => `${this.id} is claimed with ${limits.memoryBytes} bytes: limits ${how}`);
    if (how === "hang") return new Promise(() => {});
    if (how === "prompt") return Promise.resolve();
    return new Promise((resolve, reject) =>
      loop.later(random.between(0, 40), () => {
        if (how === "reject") reject(new Error("no such cgroup"));
        else resolve();
      }),
    );
  }

  async usage() {
    return { memoryBytes: null, cpuMicros: null, pids: null };
  }

  destroy(reason: DestroyReason): Promise<DestroyReport> {
    const { random, profile, loop, watch } = this.#nature;
    const how = random.weighted(profile.destroy);
    watch.say(() => `${this.id} is destroyed (${reason}): ${how}`);
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#destroyedAt = loop.now();
      if (this.isAlive)
        this.#news(random.weighted(profile.exit), () =>
          this.#tellExit({ cause: "destroyed", exitCode: null, signal: "SIGKILL" }),
        );
      this.isAlive = false;
    }
    const isBad = how !== "prompt" && how !== "slow" && this.#unconfirmed < UNCONFIRMED_MAX;
    if (isBad) this.#unconfirmed += 1;
    const report = () => ({ isConfirmed: !isBad, tookMs: loop.now() - this.#destroyedAt });
    if (how === "hang" && isBad) return new Promise(() => {});
    return new Promise((resolve, reject) =>
      loop.later(how === "prompt" ? random.between(0, 2) : random.between(0, 5000), () => {
        if (how === "reject" && isBad) reject(new Error("the engine is away"));
        else resolve(report());
      }),
    );
  }

  /** Sometimes twice: a promise takes the first word, a stream one end. */
  #news(how: NewsHow, tell: () => void): void {
    const { random, loop } = this.#nature;
    if (how === "lost") return;
    const most = how === "late" ? 2000 : 3;
    loop.later(random.between(0, most), tell);
    if (random.chance(0.1)) loop.later(random.between(0, most), tell);
  }
}
