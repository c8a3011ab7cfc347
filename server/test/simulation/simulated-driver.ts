import type { Driver, DriverProbe, Sandbox, SandboxSpec } from "../../src/drivers/driver.ts";
import type { Nature } from "./nature.ts";
import { type SandboxObserver, SimulatedSandbox } from "./simulated-sandbox.ts";

/** A driver that breaks its promises as often as the profile says; it is used behind the guard, like a real one. */
export class SimulatedDriver implements Driver {
  readonly name = "process";
  readonly sandboxes = new Map<string, SimulatedSandbox>();
  readonly #nature: Nature;
  readonly #observer: SandboxObserver;

  constructor(nature: Nature, observer: SandboxObserver) {
    this.#nature = nature;
    this.#observer = observer;
  }

  /** Processes that run. */
  get alive(): SimulatedSandbox[] {
    return [...this.sandboxes.values()].filter(({ isAlive }) => isAlive);
  }

  start(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox> {
    const { random, profile, loop, watch } = this.#nature;
    const how = random.weighted(profile.start);
    watch.say(() => `${spec.id} starts with ${spec.limits.memoryBytes / 1_048_576} MiB: ${how}`);
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const succeed = () => {
        if (isSettled) return;
        isSettled = true;
        const sandbox = new SimulatedSandbox(this.#nature, spec, this.#observer);
        this.sandboxes.set(spec.id, sandbox);
        resolve(sandbox);
      };
      const fail = () => {
        isSettled = true;
        reject(new Error("no engine"));
      };
      if (how === "deaf") return loop.later(random.between(0, 4000), succeed);
      signal.addEventListener("abort", () => loop.later(random.pick([0, 0, 30]), fail), {
        once: true,
      });
      if (how === "hang") return;
      const isLate = how === "slow" || how === "failLate";
      loop.later(isLate ? random.between(0, 3000) : random.between(0, 4), () => {
        if (how === "fail" || how === "failLate") fail();
        else if (!signal.aborted || random.chance(0.5)) succeed();
      });
    });
  }

  async probe(): Promise<DriverProbe> {
    return {
      name: "process",
      isAvailable: true,
      tier: "none",
      versions: {},
      protections: [],
      problems: [],
      fixes: [],
    };
  }

  async sweep() {
    return { removed: [] };
  }

  async close(): Promise<void> {
    await Promise.all([...this.sandboxes.values()].map((sandbox) => sandbox.destroy("shutdown")));
  }
}
