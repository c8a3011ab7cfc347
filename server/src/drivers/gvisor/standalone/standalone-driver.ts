import { join } from "node:path";
import type { Readable } from "node:stream";
import { IsolaError } from "../../../errors.ts";
import { SandboxImages } from "../../../images/guest/sandbox-images.ts";
import { findCgroups } from "../../cgroups/find-cgroups.ts";
import { LimitWatch, type Watched } from "../../cgroups/limit-watch.ts";
import { type SandboxMarks, sandboxMarks } from "../../cgroups/sandbox-mark.ts";
import { ChildSandbox } from "../../children/child-sandbox.ts";
import { dialAll } from "../../children/dial-all.ts";
import { sweepEarlierLives } from "../../children/sweep.ts";
import type {
  DriverCore,
  DriverProbe,
  SandboxHandle,
  SandboxSpec,
  StreamEnds,
  SweepReport,
} from "../../driver.ts";
import { INSIDE } from "../../sandbox-view.ts";
import { INIT_PATH, TASK_ROOT, bundleFor } from "./bundle.ts";
import { initProgram } from "./init-program.ts";
import type { PlatformChoice } from "./platforms.ts";
import { probeOf } from "./probe.ts";
import { type StandaloneMachine, examine, usable } from "./standalone-machine.ts";
import { type StartedStandalone, startStandalone } from "./start-standalone.ts";
import type { TrialStart } from "./trial.ts";

/** What has ended inside is told by a kernel that has to end as well. */
const CRASH_GRACE_MS = 200;

export interface StandaloneOptions {
  nodeId: string;
  bootId: string;
  /** A private folder of this server. */
  stateDir: string;
  /** Where images are kept from life to life. */
  keptDir: string;
  /** Path of the operator's `runsc`; null: the system's. */
  runsc: string | null;
  platform: PlatformChoice;
  log: { warn(fields: object, text: string): void };
  /** Leaves out a technique although the machine has it; for tests of the others. */
  without?: readonly string[];
}

/** Functions in sandboxes of gVisor that this server runs itself: no engine is asked. */
export class StandaloneDriver implements DriverCore {
  readonly name = "gvisor";
  readonly #options: StandaloneOptions;
  readonly #marks: SandboxMarks;
  readonly #images: SandboxImages;
  readonly #watch: LimitWatch;
  readonly #sandboxes = new Set<ChildSandbox>();
  readonly #starting = new Set<Promise<unknown>>();
  #machine: Promise<StandaloneMachine> | null = null;
  #trials = 0;
  #isClosed = false;

  constructor(options: StandaloneOptions) {
    const { nodeId, bootId, keptDir } = options;
    this.#options = options;
    this.#marks = sandboxMarks(nodeId, bootId);
    this.#images = new SandboxImages({
      ...{ folder: keptDir, platform: INSIDE },
      init: { path: INIT_PATH, bytes: initProgram() },
      onProgress: (text) => this.#onProblem(text),
    });
    this.#watch = new LimitWatch((problem) => this.#onProblem(problem));
  }

  async probe(): Promise<DriverProbe> {
    this.#machine = this.#examine();
    return probeOf(await this.#machine);
  }

  async start(spec: SandboxSpec, ends: StreamEnds, signal: AbortSignal): Promise<SandboxHandle> {
    if (spec.egressOf !== undefined)
      throw new IsolaError("driver_unavailable", "sandboxes of the driver gvisor have no network");
    const machine = await (this.#machine ??= this.#examine());
    const context = usable(machine, this.#foldersDir);
    if (context === null) {
      // It may have been installed meanwhile.
      this.#machine = null;
      throw new IsolaError("driver_unavailable", machine.problems.join("; "));
    }
    const { hasTools, sockets } = spec.equipment ?? { hasTools: false, sockets: [] };
    const places = sockets.map(({ at }) => at);
    const image = await this.#images.of(spec.runtime, { hasTools, places });
    if (this.#isClosed || signal.aborted) throw givenUp(spec);
    const { id, limits } = spec;
    const request = { id, mark: this.#markOf(id), limits, bundle: bundleFor(spec, image) };
    const starting = startStandalone(context, {
      ...{ ...request, openStreams: () => dialAll(ends, id) },
    });
    this.#starting.add(starting);
    try {
      const sandbox = this.#adopt(id, context.tree.version, await starting);
      if (!this.#isClosed && !signal.aborted) return sandbox;
      await sandbox.destroy("start_failed");
      throw givenUp(spec);
    } finally {
      this.#starting.delete(starting);
    }
  }

  async sweep(): Promise<SweepReport> {
    for (const sandbox of this.#sandboxes) if (sandbox.isLost) await sandbox.retryDestroy();
    // Also where nothing is started in this way in this life.
    const { tree } = this.#machine === null ? findCgroups() : (await this.#machine).cgroups;
    const foldersDir = this.#foldersDir;
    return { removed: await sweepEarlierLives({ tree, marks: this.#marks, foldersDir }) };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#images.close();
    await Promise.allSettled([this.#machine]);
    await Promise.allSettled(this.#starting);
    await Promise.all([...this.#sandboxes].map((sandbox) => sandbox.destroy("shutdown")));
  }

  get #foldersDir(): string {
    return join(this.#options.stateDir, "gvisor");
  }

  /** Apart from those of the sandboxes of other drivers and of the other way, whose groups lie beside it. */
  #markOf(id: string): string {
    return this.#marks.of(`runsc-${id}`);
  }

  #examine(): Promise<StandaloneMachine> {
    const { runsc, platform, without = [] } = this.#options;
    return examine({
      ...{ runsc, platform, without, foldersDir: this.#foldersDir },
      trialImage: () => this.#images.trial(),
      start: (context, request) => this.#startTrial(context, request),
    });
  }

  readonly #startTrial: TrialStart = async (context, { limits, bundle }) => {
    this.#trials += 1;
    const id = `try-${process.pid}-${this.#trials}`;
    const started = await startStandalone(context, {
      ...{ id, mark: this.#markOf(id), limits, bundle },
      openStreams: async () => ({ stdout: "ignore", stderr: "pipe", control: "pipe" }),
    });
    const sandbox = this.#adopt(id, context.tree.version, started);
    return { sandbox, stderr: started.child.stderr as Readable };
  };

  #adopt(id: string, version: string, { child, group }: StartedStandalone): ChildSandbox {
    const sandbox = new ChildSandbox({
      ...{ id, taskRoot: TASK_ROOT, child, group, isWrapped: true },
      crashGraceMs: CRASH_GRACE_MS,
      onProblem: (problem) => this.#onProblem(problem),
      onGone: () => {
        this.#sandboxes.delete(sandbox);
        this.#watch.remove(watched);
      },
    });
    const watched: Watched = {
      pid: sandbox.pid,
      sampledLimits: null,
      wasKilledForMemory: () => group.wasKilledForMemory(),
      onMemory: () => sandbox.endForMemory(),
      onProcesses: () => {},
    };
    this.#sandboxes.add(sandbox);
    if (version !== "v2") this.#watch.add(watched);
    return sandbox;
  }

  #onProblem(problem: string): void {
    this.#options.log.warn({ driver: this.name }, problem);
  }
}

function givenUp({ id }: SandboxSpec): IsolaError {
  return new IsolaError("sandbox_start_failed", `the start of ${id} was given up`);
}
