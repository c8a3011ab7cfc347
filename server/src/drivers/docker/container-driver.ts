import type { DriverName } from "../../domain/function.ts";
import { IsolaError, messageOf } from "../../errors.ts";
import { type ChosenBases, RuntimeImages } from "../../images/runtime-images.ts";
import type { CgroupTree } from "../cgroups/cgroup.ts";
import { findCgroups } from "../cgroups/find-cgroups.ts";
import { LimitWatch, type Watched } from "../cgroups/limit-watch.ts";
import { type SandboxMarks, sandboxMarks } from "../cgroups/sandbox-mark.ts";
import type {
  DriverCore,
  DriverProbe,
  RuntimeSpec,
  SandboxHandle,
  SandboxSpec,
  StreamEnds,
  SweepReport,
} from "../driver.ts";
import { labels } from "./container-options.ts";
import { Containers } from "./containers.ts";
import { DockerSandbox } from "./docker-sandbox.ts";
import { Egress, machineResolvers } from "./egress.ts";
import { type ContainerEvent, EngineEvents } from "./engine-events.ts";
import type { ContainerFlavour } from "./flavour.ts";
import { type DockerMachine, examine, probeOf } from "./probe.ts";
import { type StartContext, type StartedContainer, startContainer } from "./start-container.ts";
import { containerMark, sweepContainers } from "./sweep.ts";

export interface ContainerDriverOptions {
  nodeId: string;
  bootId: string;
  /** As `DOCKER_HOST`. */
  host: string;
  /** Base images that the operator chose. */
  bases: ChosenBases;
  /** As `Egress` has it. */
  egressAllowed: readonly string[];
  /** Name servers of sandboxes with a network; empty: the machine's. */
  egressResolvers: readonly string[];
  log: { warn(fields: object, text: string): void };
}

/** Functions in hardened containers of a Docker Engine, of one flavour. */
export class ContainerDriver implements DriverCore {
  readonly name: DriverName;
  readonly #flavour: ContainerFlavour;
  readonly #options: ContainerDriverOptions;
  readonly #containers: Containers;
  readonly #events: EngineEvents;
  readonly #egress: Egress;
  #images: Promise<RuntimeImages> | null = null;
  readonly #marks: SandboxMarks;
  readonly #watch: LimitWatch;
  /** By the id of the container, until that is removed. */
  readonly #sandboxes = new Map<string, DockerSandbox>();
  readonly #starting = new Set<Promise<unknown>>();
  readonly #unheld = new Set<string>();
  /** Of sandboxes until they are gone, and of starts under way. */
  readonly #marksHeld = new Set<string>();
  readonly #checked = { isDone: false };
  /** Exit codes of containers that have ended before their start was told. */
  readonly #early = new Map<string, number | null>();
  #machine: Promise<DockerMachine> | null = null;
  #isClosed = false;

  constructor(flavour: ContainerFlavour, options: ContainerDriverOptions) {
    const { nodeId, bootId, host } = options;
    this.name = flavour.name;
    this.#flavour = flavour;
    this.#options = options;
    this.#containers = new Containers(host);
    this.#egress = new Egress({
      containers: this.#containers,
      nodeId,
      allowed: options.egressAllowed,
      resolvers: options.egressResolvers.length > 0 ? options.egressResolvers : machineResolvers(),
    });
    this.#marks = sandboxMarks(nodeId, bootId);
    const onProblem = (problem: string) => this.#onProblem(problem);
    this.#watch = new LimitWatch(onProblem);
    this.#events = new EngineEvents({
      containers: this.#containers,
      labels: [`${labels.boot}=${bootId}`, `${labels.driver}=${flavour.name}`],
      onProblem,
      onEvent: (event) => this.#onEvent(event),
      onGap: () => void this.#reconcile(),
    });
  }

  async probe(): Promise<DriverProbe> {
    this.#machine = this.#examine();
    const [containers, flavour] = [this.#containers, this.#flavour];
    return probeOf(await this.#machine, { containers, flavour });
  }

  async start(spec: SandboxSpec, ends: StreamEnds, signal: AbortSignal): Promise<SandboxHandle> {
    const context = await this.#context();
    if (this.#isClosed || signal.aborted) throw givenUp(spec);
    const mark = containerMark(this.#marks, this.name, spec.id);
    this.#marksHeld.add(mark);
    const started = startContainer(context, spec, { mark, ends, signal });
    this.#starting.add(started);
    started.catch(() => this.#marksHeld.delete(mark));
    try {
      const sandbox = this.#adopt(spec, mark, await started);
      if (!this.#isClosed && !signal.aborted) return sandbox;
      await sandbox.destroy("start_failed");
      throw givenUp(spec);
    } finally {
      this.#starting.delete(started);
      if (this.#starting.size === 0) this.#early.clear();
    }
  }

  async sweep(): Promise<SweepReport> {
    const { facts, cgroups } = await (this.#machine ??= this.#examine());
    // It may answer the next time; what is in groups is killed in any case.
    if (facts === null) this.#machine = null;
    const tree = facts === null ? this.#rootGroups() : cgroups.tree;
    for (const sandbox of this.#sandboxes.values())
      if (sandbox.isLost) await sandbox.retryDestroy();
    const { nodeId, bootId } = this.#options;
    const removed = await sweepContainers({
      ...{ containers: this.#containers, tree, marks: this.#marks, nodeId, bootId },
      driver: this.name,
      isHeld: (each) => this.#sandboxes.has(each) || this.#marksHeld.has(each),
      unheld: this.#unheld,
    });
    if (this.#hasEgress) await this.#egress.sweep();
    return { removed };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    void this.#images?.then((images) => images.close());
    await Promise.allSettled([this.#machine]);
    await Promise.allSettled(this.#starting);
    const sandboxes = [...this.#sandboxes.values()];
    await Promise.all(sandboxes.map((sandbox) => sandbox.destroy("shutdown")));
    await Promise.all(sandboxes.map((sandbox) => sandbox.removed));
    this.#events.close();
    if (this.#hasEgress) await this.#sweepNetworks();
  }

  get #hasEgress(): boolean {
    return this.#flavour.hasEgress && this.#containers.isLocal;
  }

  async #sweepNetworks(): Promise<void> {
    await this.#egress.sweep().catch((error: unknown) => this.#onProblem(messageOf(error)));
  }

  async #context(): Promise<StartContext> {
    const { facts, cgroups, problems, runtime } = await (this.#machine ??= this.#examine());
    if (facts === null || problems.length > 0) {
      // It may answer the next time.
      this.#machine = null;
      throw new IsolaError("driver_unavailable", problems.join("; "));
    }
    await this.#events.open();
    const { nodeId, bootId } = this.#options;
    return {
      ...{ containers: this.#containers, nodeId, bootId, tree: cgroups.tree },
      ...{ checked: this.#checked, egress: this.#egress, flavour: this.#flavour, runtime },
      image: ({ runtime }) => this.#image(runtime),
    };
  }

  /** Built on first need, which may take longer than a start: that fails then, and a later one finds it. */
  async #image(runtime: RuntimeSpec): Promise<string> {
    const { bases } = this.#options;
    this.#images ??= this.#containers
      .engine()
      .then((engine) => new RuntimeImages({ engine, bases }));
    let hasSaid = false;
    const { id } = await (await this.#images).ensure(runtime, () => {
      if (hasSaid) return;
      hasSaid = true;
      this.#onProblem(`the image for ${runtime.name} is missing; building it`);
    });
    return id;
  }

  /** Where groups of earlier lives would be, whatever the engine is. */
  #rootGroups(): CgroupTree | null {
    return this.#containers.isLocal ? findCgroups("root").tree : null;
  }

  #examine(): Promise<DockerMachine> {
    return examine(this.#containers, this.#flavour);
  }

  #adopt(spec: SandboxSpec, mark: string, started: StartedContainer): DockerSandbox {
    const { containerId, group, streams } = started;
    const sandbox = new DockerSandbox({
      id: spec.id,
      ...{ containerId, group },
      hurryOutput: () => streams.hurry(),
      containerLimits: (limits) => this.#flavour.containerLimits(limits, spec.limits),
      endedForMemory: async () =>
        (await this.#containers.inspect(containerId))?.State.OOMKilled === true,
      removeContainer: () => this.#containers.remove(containerId),
      onProblem: (problem) => this.#onProblem(problem),
      onGone: () => {
        this.#sandboxes.delete(containerId);
        this.#marksHeld.delete(mark);
        this.#watch.remove(watched);
      },
    });
    const watched: Watched = {
      pid: 0,
      sampledLimits: null,
      wasKilledForMemory: () => sandbox.wasKilledForMemory(),
      onMemory: () => sandbox.endForMemory(),
      onProcesses: () => {},
    };
    this.#sandboxes.set(containerId, sandbox);
    this.#watch.add(watched);
    const early = this.#early.get(containerId);
    if (early !== undefined) void sandbox.onDied(early);
    return sandbox;
  }

  #onEvent({ containerId, action, exitCode }: ContainerEvent): void {
    const sandbox = this.#sandboxes.get(containerId);
    if (sandbox === undefined && action === "die") this.#early.set(containerId, exitCode);
    if (action === "die" || action === "destroy") void sandbox?.onDied(exitCode);
    if (action === "kill") sandbox?.onSignalled();
    if (action === "pause" && sandbox?.isFrozenByEngine === false) sandbox.onPaused();
    if (action === "oom") sandbox?.endForMemory();
  }

  /** The engine was away: what ended meanwhile is asked for. */
  async #reconcile(): Promise<void> {
    for (const [containerId, sandbox] of this.#sandboxes) {
      try {
        const now = await this.#containers.inspect(containerId);
        if (now?.State.Running !== true) await sandbox.onDied(now?.State.ExitCode ?? null);
      } catch (error) {
        this.#onProblem(`${sandbox.id}: ${messageOf(error)}`);
      }
    }
  }

  #onProblem(problem: string): void {
    this.#options.log.warn({ driver: this.name }, problem);
  }
}

function givenUp(spec: SandboxSpec): IsolaError {
  return new IsolaError("sandbox_start_failed", `the start of ${spec.id} was given up`);
}
