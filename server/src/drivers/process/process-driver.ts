import { join } from "node:path";
import type { Readable } from "node:stream";
import { IsolaError, messageOf } from "../../errors.ts";
import type {
  DriverCore,
  DriverProbe,
  RuntimeSpec,
  SandboxHandle,
  SandboxSpec,
  StreamEnds,
  SweepReport,
} from "../driver.ts";
import { HostUsers } from "../host-users.ts";
import { LimitWatch, type Watched } from "../cgroups/limit-watch.ts";
import { dialAll } from "../children/dial-all.ts";
import { type ProcessMachine, examine } from "./machine.ts";
import { probeOf } from "./probe.ts";
import { ChildSandbox } from "../children/child-sandbox.ts";
import { type SandboxMarks, sandboxMarks } from "../cgroups/sandbox-mark.ts";
import { type StartContext, type Started, startProcess } from "./start-process.ts";
import { sweepEarlierLives } from "../children/sweep.ts";
import { tryOut } from "./try-out.ts";

const CRASH_GRACE_MS = 50;

export interface ProcessDriverOptions {
  nodeId: string;
  bootId: string;
  /** A private folder of this server. */
  stateDir: string;
  /** Whether functions may run as ordinary child processes where bubblewrap cannot run. */
  acceptNoIsolation: boolean;
  log: { warn(fields: object, text: string): void };
  /** Leaves out a technique although the machine has it; for tests of the others. */
  without?: readonly ("bubblewrap" | "cgroups" | "kvm")[];
}

/** Functions as processes in namespaces of their own, by bubblewrap. */
export function createProcessDriver(options: ProcessDriverOptions): DriverCore {
  return new ProcessDriver(options);
}

interface Settled extends StartContext {
  /** Why a sandbox with bubblewrap did not work when it was tried. */
  trialProblem: string | null;
}

class ProcessDriver implements DriverCore {
  readonly name = "process";
  readonly #options: ProcessDriverOptions;
  readonly #marks: SandboxMarks;
  readonly #users: HostUsers;
  readonly #watch: LimitWatch;
  readonly #sandboxes = new Set<ChildSandbox>();
  readonly #starting = new Set<Promise<unknown>>();
  #settled: Promise<Settled> | null = null;
  #trials = 0;
  #isClosed = false;

  constructor(options: ProcessDriverOptions) {
    this.#options = options;
    this.#marks = sandboxMarks(options.nodeId, options.bootId);
    this.#users = new HostUsers(`${options.nodeId}.${options.bootId}`, 0);
    this.#watch = new LimitWatch((problem) => this.#onProblem(problem));
  }

  async probe(): Promise<DriverProbe> {
    this.#settled = this.#settle();
    const { machine, trialProblem } = await this.#settled;
    return probeOf(machine, trialProblem, this.#options.acceptNoIsolation);
  }

  async start(spec: SandboxSpec, ends: StreamEnds, signal: AbortSignal): Promise<SandboxHandle> {
    const context = await (this.#settled ??= this.#settle());
    if (context.machine.tier === "none" && !this.#options.acceptNoIsolation)
      throw new IsolaError(
        "driver_unavailable",
        `functions would run without isolation: ${context.trialProblem ?? context.machine.bwrapProblem}`,
      );
    if (spec.egressOf !== undefined)
      throw new IsolaError("driver_unavailable", "the driver process gives no sandbox a network");
    if (this.#isClosed || signal.aborted)
      throw new IsolaError("sandbox_start_failed", `the start of ${spec.id} was given up`);
    const starting = startProcess(context, spec, {
      mark: this.#marks.of(spec.id),
      openStreams: () => dialAll(ends, spec.id),
    });
    this.#starting.add(starting);
    try {
      const sandbox = this.#adopt(context, spec, await starting);
      if (!this.#isClosed && !signal.aborted) return sandbox;
      await sandbox.destroy("start_failed");
      throw new IsolaError("sandbox_start_failed", `the start of ${spec.id} was given up`);
    } finally {
      this.#starting.delete(starting);
    }
  }

  async sweep(): Promise<SweepReport> {
    const { machine, foldersDir } = await (this.#settled ??= this.#settle());
    for (const sandbox of this.#sandboxes) if (sandbox.isLost) await sandbox.retryDestroy();
    const tree = machine.cgroups.tree;
    return { removed: await sweepEarlierLives({ tree, marks: this.#marks, foldersDir }) };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([this.#settled]);
    await Promise.allSettled(this.#starting);
    await Promise.all([...this.#sandboxes].map((sandbox) => sandbox.destroy("shutdown")));
  }

  #adopt({ machine }: Settled, spec: SandboxSpec, started: Started): ChildSandbox {
    const { group, sampled, hostUser } = started;
    const sandbox = new ChildSandbox({
      id: spec.id,
      taskRoot: started.taskRoot,
      child: started.child,
      group,
      isWrapped: machine.bwrap !== null,
      crashGraceMs: CRASH_GRACE_MS,
      onProblem: (problem) => this.#onProblem(problem),
      onGone: () => {
        this.#sandboxes.delete(sandbox);
        this.#watch.remove(watched);
        if (hostUser !== null) this.#users.give(hostUser);
      },
    });
    const watched: Watched = {
      pid: sandbox.pid,
      get sampledLimits() {
        return sampled?.limits ?? null;
      },
      wasKilledForMemory: () => group.wasKilledForMemory(),
      onMemory: () => sandbox.endForMemory(),
      onProcesses: () => void sandbox.destroy("crash"),
    };
    this.#sandboxes.add(sandbox);
    if (machine.cgroups.tree?.version !== "v2") this.#watch.add(watched);
    return sandbox;
  }

  /** Looks at the machine, tries a sandbox, and decides once what all sandboxes use. */
  async #settle(): Promise<Settled> {
    const machine = await this.#examine();
    const context: StartContext = {
      machine,
      users: this.#users,
      plans: new Map(),
      foldersDir: join(this.#options.stateDir, "sandboxes"),
    };
    const trialProblem = machine.bwrap === null ? null : await this.#try(context);
    if (trialProblem === null) return { ...context, trialProblem };
    const plain: ProcessMachine = { ...machine, bwrap: null, tier: "none" };
    return { ...context, machine: plain, trialProblem };
  }

  async #examine(): Promise<ProcessMachine> {
    const machine = await examine();
    const { without = [] } = this.#options;
    if (without.includes("cgroups"))
      machine.cgroups = { tree: null, problem: "left out by a test" };
    if (!without.includes("bubblewrap")) return machine;
    return { ...machine, bwrap: null, bwrapProblem: "left out by a test", tier: "none" };
  }

  async #try(context: StartContext): Promise<string | null> {
    this.#trials += 1;
    try {
      return await tryOut(async (runtime: RuntimeSpec, limits) => {
        const id = `try-${process.pid}-${this.#trials}`;
        const spec = { id, runtime, limits, tmpBytes: 2 ** 20 };
        const started = await startProcess(context, spec, {
          mark: this.#marks.of(id),
          openStreams: async () => ({ stdout: "ignore", stderr: "pipe", control: "ignore" }),
        });
        const sandbox = this.#adopt({ ...context, trialProblem: null }, spec, started);
        return { sandbox, stderr: started.child.stderr as Readable };
      });
    } catch (error) {
      return messageOf(error);
    }
  }

  #onProblem(problem: string): void {
    this.#options.log.warn({ driver: this.name }, problem);
  }
}
