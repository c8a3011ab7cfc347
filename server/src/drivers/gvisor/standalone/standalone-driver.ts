import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { MiB, settingLimits } from "../../../domain/limits.ts";
import { IsolaError, messageOf } from "../../../errors.ts";
import { SandboxImages } from "../../../images/guest/sandbox-images.ts";
import { findCgroups } from "../../cgroups/find-cgroups.ts";
import { LimitWatch, type Watched } from "../../cgroups/limit-watch.ts";
import { type SandboxMarks, sandboxMarks } from "../../cgroups/sandbox-mark.ts";
import { ChildSandbox } from "../../children/child-sandbox.ts";
import { dialAll } from "../../children/dial-all.ts";
import { closeStreams } from "../../children/launch.ts";
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
import {
  type Snapshot,
  type SnapshotKind,
  Snapshots,
  type WantedSnapshot,
} from "../../snapshots.ts";
import { INIT_PATH, RESEED_PATH, TASK_ROOT, bundleFor } from "./bundle.ts";
import { initProgram } from "./init-program.ts";
import type { PlatformChoice } from "./platforms.ts";
import { probeOf } from "./probe.ts";
import { reseedModule } from "./reseed-module.ts";
import { saveSandbox, untilRunning } from "./saving.ts";
import { type SnapshotSource, kindOf } from "./snapshot-kind.ts";
import { type StandaloneMachine, examine, usable } from "./standalone-machine.ts";
import {
  type StandaloneContext,
  type StandaloneRequest,
  startStandalone,
} from "./start-standalone.ts";
import { TEMPLATE_MS_MAX, inTemplate, ownPipes } from "./template.ts";
import { type BegunStandalone, type TrialStart, trySnapshots } from "./trial.ts";

const SEED_BYTES = 64;
const DRAIN_MS_MAX = 1000;
/** What has ended inside is told by a kernel that has to end as well. */
const CRASH_GRACE_MS = 200;

export interface StandaloneOptions {
  nodeId: string;
  bootId: string;
  /** A private folder of this server. */
  stateDir: string;
  /** Where images and snapshots are kept from life to life. */
  keptDir: string;
  /** Disk space of all snapshots together; 0: none are taken. */
  snapshotsMiBMax: number;
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
  readonly #snapshots: Snapshots<SnapshotSource>;
  readonly #watch: LimitWatch;
  readonly #sandboxes = new Set<ChildSandbox>();
  readonly #starting = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  #machine: Promise<StandaloneMachine> | null = null;
  #snapshotTrial: { identity: string; problem: string | null } | null = null;
  #trials = 0;
  #templates = 0;

  constructor(options: StandaloneOptions) {
    const { nodeId, bootId, keptDir, snapshotsMiBMax } = options;
    this.#options = options;
    this.#marks = sandboxMarks(nodeId, bootId);
    this.#images = new SandboxImages({
      ...{ folder: keptDir, platform: INSIDE },
      programs: [
        { path: INIT_PATH, bytes: initProgram() },
        { path: RESEED_PATH, bytes: reseedModule() },
      ],
      onProgress: (text) => this.#onProblem(text),
    });
    this.#snapshots = new Snapshots({
      ...{ folder: join(keptDir, "snapshots"), bytesMax: snapshotsMiBMax * MiB },
      setting: "gvisorSnapshotsMiBMax",
      take: (wanted, folder) => this.#take(wanted, folder),
      onProblem: (problem) => this.#onProblem(problem),
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
    const { machine, context } = await this.#usable();
    const { hasTools, sockets } = spec.equipment ?? { hasTools: false, sockets: [] };
    const places = sockets.map(({ at }) => at);
    const image = await this.#images.of(spec.runtime, { hasTools, places });
    const either = AbortSignal.any([signal, this.#closing.signal]);
    if (either.aborted) throw givenUp(spec);
    const kind =
      spec.equipment === undefined && machine.snapshots.problem === null
        ? kindOf({ ...spec, image }, machine.snapshots.identity)
        : null;
    const starting = this.#start(context, spec, { ends, image, kind, signal: either });
    this.#starting.add(starting);
    try {
      const sandbox = await starting;
      if (!either.aborted) return sandbox;
      await sandbox.destroy("start_failed");
      throw givenUp(spec);
    } finally {
      this.#starting.delete(starting);
    }
  }

  async sweep(): Promise<SweepReport> {
    for (const sandbox of this.#sandboxes) if (sandbox.isLost) await sandbox.retryDestroy();
    // Also where nothing is started in this way in this life.
    const machine = await this.#machine;
    const { tree } = machine === null ? findCgroups() : machine.cgroups;
    const foldersDir = this.#foldersDir;
    const removed = await sweepEarlierLives({ tree, marks: this.#marks, foldersDir });
    removed.push(...(await this.#snapshots.sweep(machine?.snapshots.identity || null)));
    return { removed };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#images.close();
    await Promise.allSettled([this.#machine]);
    await Promise.allSettled(this.#starting);
    await this.#snapshots.close();
    await Promise.all([...this.#sandboxes].map((sandbox) => sandbox.destroy("shutdown")));
  }

  get #foldersDir(): string {
    return join(this.#options.stateDir, "gvisor");
  }

  /** Apart from those of the sandboxes of other drivers and of the other way, whose groups lie beside it. */
  #markOf(id: string): string {
    return this.#marks.of(`runsc-${id}`);
  }

  async #usable(): Promise<{ machine: StandaloneMachine; context: StandaloneContext }> {
    const machine = await (this.#machine ??= this.#examine());
    const context = usable(machine, this.#foldersDir);
    if (context !== null) return { machine, context };
    // It may have been installed meanwhile.
    this.#machine = null;
    throw new IsolaError("driver_unavailable", machine.problems.join("; "));
  }

  #examine(): Promise<StandaloneMachine> {
    const { runsc, platform, without = [] } = this.#options;
    return examine({
      ...{ runsc, platform, without, foldersDir: this.#foldersDir },
      trialImage: () => this.#images.trial(),
      start: (context, request) => this.#startTrial(context, request),
      trySnapshots: (context, image, identity) => this.#trySnapshots(context, image, identity),
    });
  }

  readonly #startTrial: TrialStart = async (context, request) => {
    const id = this.#trialId();
    const mark = this.#markOf(id);
    return await this.#begin(context, { ...request, id, mark, openStreams: ownPipes });
  };

  /** Once for each program, platform and machine. */
  async #trySnapshots(
    context: StandaloneContext,
    image: string,
    identity: string,
  ): Promise<string | null> {
    const { snapshotsMiBMax, without = [] } = this.#options;
    if (snapshotsMiBMax === 0) return "no: gvisorSnapshotsMiBMax is 0";
    if (without.includes("snapshots")) return "no: left out by a test";
    if (this.#snapshotTrial?.identity === identity) return this.#snapshotTrial.problem;
    const saved = join(this.#foldersDir, this.#markOf(`${this.#trialId()}-saved`));
    const problem = await trySnapshots(context, { image, saved, start: this.#startTrial });
    this.#snapshotTrial = { identity, problem };
    return problem;
  }

  #trialId(): string {
    this.#trials += 1;
    return `try-${process.pid}-${this.#trials}`;
  }

  async #start(
    context: StandaloneContext,
    spec: SandboxSpec,
    { ends, image, kind, signal }: StartOptions,
  ): Promise<ChildSandbox> {
    const { id, limits } = spec;
    if (kind !== null) {
      const snapshot = await this.#snapshots.find(kind);
      if (snapshot === null) this.#snapshots.want(kind, { ...spec, image });
      // What is made ahead boots: its first call is faster than one that has to fetch its pages (docs/drivers.md).
      else if (spec.isAhead !== true)
        return await this.#restore(context, spec, { ends, image, kind, snapshot, signal });
    }
    const begun = await this.#begin(context, {
      ...{ id, mark: this.#markOf(id), limits, bundle: bundleFor(spec, image, false) },
      openStreams: () => dialAll(ends, id),
    });
    return begun.sandbox;
  }

  /** From a snapshot, or, where that fails, by a boot that gets the same streams. */
  async #restore(
    context: StandaloneContext,
    spec: SandboxSpec,
    {
      ends,
      image,
      kind,
      snapshot,
      signal,
    }: StartOptions & { kind: SnapshotKind; snapshot: Snapshot },
  ): Promise<ChildSandbox> {
    const { id, limits } = spec;
    const streams = await dialAll(ends, id, randomBytes(SEED_BYTES));
    const request = { id, limits, openStreams: async () => streams, keepsStreams: true };
    try {
      const restored = await this.#begin(context, {
        ...{ ...request, mark: this.#markOf(id), saved: snapshot.folder },
        bundle: bundleFor(spec, image, true),
      });
      try {
        await untilRunning(restored.started, signal);
        return restored.sandbox;
      } catch (error) {
        await restored.sandbox.destroy("start_failed");
        if (signal.aborted) throw givenUp(spec);
        await this.#snapshots.drop(kind, messageOf(error));
        this.#snapshots.want(kind, { ...spec, image });
      }
      await drain(streams.control as Socket, SEED_BYTES);
      const again = await this.#begin(context, {
        ...{ ...request, mark: this.#markOf(`${id}-again`), bundle: bundleFor(spec, image, false) },
      });
      return again.sandbox;
    } finally {
      closeStreams(streams);
    }
  }

  /** A sandbox is saved when its runtime stands at the gate, before anything of a tenant is in it, and seen to go on before others depend on that. */
  async #take({ source }: WantedSnapshot<SnapshotSource>, saved: string): Promise<Snapshot> {
    const { context } = await this.#usable();
    this.#templates += 1;
    const id = `template-${this.#templates}`;
    const { image, ...spec } = source;
    const begin = (name: string, from?: { saved: string }) =>
      this.#begin(context, {
        ...{ id: name, mark: this.#markOf(name), bundle: bundleFor(spec, image, true) },
        limits: { ...spec.limits, memoryBytes: settingLimits.memoryMiB.default * MiB },
        ...{ openStreams: ownPipes, ...from },
      });
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(TEMPLATE_MS_MAX)]);
    const snapshot = await inTemplate(await begin(id), signal, async (template) => {
      await template.said();
      return await saveSandbox(context, template.started, { saved, signal });
    });
    await inTemplate(await begin(`${id}-again`, { saved }), signal, async (template) => {
      await untilRunning(template.started, signal);
      template.control.write(randomBytes(SEED_BYTES));
      await template.said();
    });
    return snapshot;
  }

  async #begin(context: StandaloneContext, request: StandaloneRequest): Promise<BegunStandalone> {
    const started = await startStandalone(context, request);
    const { child, group } = started;
    const { id, saved } = request;
    const sandbox = new ChildSandbox({
      ...{ id, taskRoot: TASK_ROOT, child, group, isWrapped: true },
      startedFrom: saved === undefined ? "boot" : "snapshot",
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
    if (context.tree.version !== "v2") this.#watch.add(watched);
    return { sandbox, started };
  }

  #onProblem(problem: string): void {
    this.#options.log.warn({ driver: this.name }, problem);
  }
}

interface StartOptions {
  ends: StreamEnds;
  /** Path of the image. */
  image: string;
  /** null: no snapshot is taken of such a sandbox. */
  kind: SnapshotKind | null;
  signal: AbortSignal;
}

/** Takes what nobody has read, if it comes. */
async function drain(socket: Socket, bytes: number): Promise<void> {
  let left = bytes;
  const done = Promise.withResolvers<void>();
  const onData = (chunk: Buffer) => {
    left -= chunk.length;
    if (left <= 0) done.resolve();
  };
  socket.on("data", onData).resume();
  await Promise.race([done.promise, delay(DRAIN_MS_MAX)]);
  socket.pause();
  socket.off("data", onData);
}

function givenUp({ id }: SandboxSpec): IsolaError {
  return new IsolaError("sandbox_start_failed", `the start of ${id} was given up`);
}
