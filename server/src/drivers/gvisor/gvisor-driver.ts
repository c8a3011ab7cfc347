import { type ContainerDriverOptions, ContainerDriver } from "../docker/container-driver.ts";
import type {
  DriverCore,
  DriverProbe,
  SandboxHandle,
  SandboxSpec,
  StreamEnds,
  SweepReport,
} from "../driver.ts";
import { gvisorFlavour } from "./gvisor-flavour.ts";
import type { PlatformChoice } from "./standalone/platforms.ts";
import { StandaloneDriver, type StandaloneOptions } from "./standalone/standalone-driver.ts";

/** `engine`: in containers of the Docker Engine. `standalone`: by `runsc` alone. `auto`: where the engine has a runtime that fits, by it, as its operator wanted; else alone. */
export type GvisorMode = "auto" | "engine" | "standalone";

export interface GvisorSettings
  extends Pick<StandaloneOptions, "keptDir" | "runsc" | "snapshotsMiBMax"> {
  mode: GvisorMode;
  /** The engine's runtime to use, by its name there; null: the one that is found. */
  runtime: string | null;
  platform: PlatformChoice;
}

export interface GvisorDriverOptions
  extends ContainerDriverOptions,
    Pick<StandaloneOptions, "stateDir" | "without"> {
  gvisor: GvisorSettings;
}

/** Functions in sandboxes each of which has a kernel of its own, gVisor, in one of two ways. */
export function createGvisorDriver({ gvisor, ...options }: GvisorDriverOptions): DriverCore {
  const { mode, runtime, ...own } = gvisor;
  const engine = new ContainerDriver(gvisorFlavour(runtime), options);
  return new GvisorDriver(mode, engine, new StandaloneDriver({ ...options, ...own }));
}

/** Which way is decided by the first that is available, and then holds for this life: what is measured and what a function sees does not change with an engine that is away for a while. */
export class GvisorDriver implements DriverCore {
  readonly name = "gvisor";
  readonly #engine: DriverCore;
  readonly #standalone: DriverCore;
  #chosen: DriverCore | null = null;

  constructor(mode: GvisorMode, engine: DriverCore, standalone: DriverCore) {
    this.#engine = engine;
    this.#standalone = standalone;
    if (mode === "engine") this.#chosen = engine;
    if (mode === "standalone") this.#chosen = standalone;
  }

  async probe(): Promise<DriverProbe> {
    if (this.#chosen !== null) return await this.#chosen.probe();
    const byEngine = await this.#engine.probe();
    if (byEngine.isAvailable) return this.#choose(this.#engine, byEngine);
    const alone = await this.#standalone.probe();
    if (alone.isAvailable) return this.#choose(this.#standalone, alone);
    return {
      ...alone,
      problems: [
        ...byEngine.problems.map((problem) => `by an engine: ${problem}`),
        ...alone.problems.map((problem) => `without one: ${problem}`),
      ],
      // What is easier comes first: it takes no engine.
      fixes: [...new Set([...alone.fixes, ...byEngine.fixes])],
    };
  }

  async start(spec: SandboxSpec, ends: StreamEnds, signal: AbortSignal): Promise<SandboxHandle> {
    if (this.#chosen === null) await this.probe();
    // Where neither is available it says why.
    return await (this.#chosen ?? this.#standalone).start(spec, ends, signal);
  }

  /** What an earlier life has left may be of the other way. An engine that nobody asks need not be there: it is swept when it is. */
  async sweep(): Promise<SweepReport> {
    const alone = await this.#standalone.sweep();
    const none: SweepReport = { removed: [] };
    const isNeeded = this.#chosen !== this.#standalone;
    const { removed } = await this.#engine.sweep().catch((error: unknown) => {
      if (isNeeded) throw error;
      return none;
    });
    return { removed: [...alone.removed, ...removed] };
  }

  async close(): Promise<void> {
    await Promise.all([this.#engine.close(), this.#standalone.close()]);
  }

  #choose(driver: DriverCore, probe: DriverProbe): DriverProbe {
    this.#chosen = driver;
    return probe;
  }
}
