import type { CreateFunction, PatchFunction } from "@isola/api/functions";
import type { BuildProgress } from "../builds/ports.ts";
import type { Clock } from "../domain/clock.ts";
import { type EventKind, type EventSink, eventOf } from "../domain/events.ts";
import type { Artifact, DriverName, RevisionSettings } from "../domain/function.ts";
import { settingLimits } from "../domain/limits.ts";
import { IsolaError } from "../errors.ts";
import { failPoint } from "../fail-points.ts";
import type { Scheduler } from "../schedules/scheduler.ts";
import type { FunctionRow, Metadata, NewRevision, RevisionRow, Store } from "../store/store.ts";
import { checkReserved, checkTimeout } from "./check-function.ts";
import type { GatewayFacts } from "./gateway-facts.ts";
import { Gate } from "./gate.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import type { LiveFunctions } from "./live-functions.ts";
import { chooseDriver } from "./machine-choice.ts";
import type { Artifacts, CodeInput, PackageBuilds } from "./ports.ts";
import type { Publisher } from "./publisher.ts";
import { changesSettings, resolveSettings } from "./resolve-settings.ts";
import {
  type Code,
  buildKey,
  changedMeanwhile,
  checkSize,
  codeFor,
  sameCode,
  sameSettings,
} from "./revision-code.ts";
import { invalidRequest } from "./validation.ts";

export interface DeployerOptions {
  store: Store;
  artifacts: Artifacts;
  builds: PackageBuilds;
  facts: GatewayFacts;
  publisher: Publisher;
  live: LiveFunctions;
  schedules: Pick<Scheduler, "put" | "delete">;
  /** Hears of every change that is committed. */
  events: EventSink;
  clock: Clock;
  /** No revision with a higher `timeoutMs` becomes live. */
  timeoutMsMax: number;
  /** Nor one that reserves all of them. */
  invocationsMax: number;
  defaultDriver: DriverName | "auto";
}

/** What is changed, by whom, and the version that must still hold. */
export interface Target {
  project: string;
  name: string;
  keyId: string;
  ifVersion?: number;
}

export interface Deployed {
  fn: FunctionRow;
  live: RevisionRow;
  /** The gateway has confirmed; else it is told as soon as it answers. */
  applied: boolean;
}

/** What a PATCH names beside code. */
type FunctionSettings = Omit<PatchFunction, "code">;

export interface FunctionChange {
  settings: FunctionSettings;
  code?: CodeInput | undefined;
}

const APPLY_WAIT_MS = 5000;

/**
 * Changes functions. Each change is checked, its code kept, and then committed whole or not at all; it is durable before the gateway hears of it. Commits come one
 * after the other, so that what was checked (routes, versions) still holds when it is committed.
 */
export class Deployer {
  #options: DeployerOptions;
  #commits = new KeyedQueue();
  /** Shared from keeping code until a revision refers to it; held alone while unused code is removed. */
  #codeGate = new Gate();

  constructor(options: DeployerOptions) {
    this.#options = options;
  }

  async create(
    target: Target,
    body: Omit<CreateFunction, "name" | "code">,
    code: CodeInput,
    progress: BuildProgress,
  ): Promise<Deployed> {
    const { store, facts } = this.#options;
    const { project, name, keyId } = target;
    const { description = "", labels = {} } = body;
    const timeoutMs = Math.min(settingLimits.timeoutMs.default, this.#options.timeoutMsMax);
    const machine = await facts.known();
    const ofProject = (await store.getProject(project)).driver;
    const asked = body.driver ?? ofProject ?? this.#options.defaultDriver;
    const driver = chooseDriver(asked, machine.drivers);
    const settings = resolveSettings({ timeoutMs, ...body, driver }, null, machine);
    this.#checkCaps(settings);
    await this.#checkNew(target, settings);
    const built = await this.#built(target, code, settings, progress);
    const made = await this.#codeGate.share(async () => {
      await this.#keep(built, code);
      return this.#commit(async () => {
        this.#checkLive(target, settings);
        await failPoint("deploy.before-commit");
        const first = { ...built, settings, createdBy: keyId, reason: "create" as const };
        const made = await store.createFunction({ project, name, description, labels, first });
        this.#putLive(made.fn, settings);
        return made;
      });
    });
    this.#note("function_created", target, { driver: settings.driver, revision: 1 });
    return this.#told(target, made.fn, made.revision);
  }

  /** Metadata changes in place; any other member that differs makes a revision, one with the code that comes with it. */
  async patch(target: Target, change: FunctionChange, progress: BuildProgress): Promise<Deployed> {
    const { settings: body, code } = change;
    if (code !== undefined) return this.putCode(target, code, progress, body);
    const { facts } = this.#options;
    const machine = changesSettings(body) ? await facts.known() : null;
    const rebuilt = machine === null ? null : await this.#rebuilt(target, body, machine, progress);
    const { fn, live, isNew } = await this.#commit(async () => {
      const before = await this.#current(target);
      const settings =
        machine === null
          ? before.live.settings
          : resolveSettings(body, before.live.settings, machine);
      const isNew = !sameSettings(settings, before.live.settings);
      if (isNew) this.#checkLive(target, settings);
      if (isNew) this.#checkCaps(settings);
      const metadata = metadataOf(body);
      if (isNew) {
        const next = {
          ...codeFor(before.live, settings, rebuilt),
          settings,
          reason: "settings",
          metadata,
        } as const;
        return { ...(await this.#addRevision(target, before.fn, next)), isNew };
      }
      return { ...(await this.#describe(target, before, metadata)), isNew };
    });
    if (!isNew) return { fn, live, applied: true };
    this.#noteRevision(target, live);
    return this.#told(target, fn, live);
  }

  /** A revision with this code. `also` changes with it, and then there is none where all is as it was. */
  async putCode(
    target: Target,
    code: CodeInput,
    progress: BuildProgress,
    also?: FunctionSettings,
  ): Promise<Deployed> {
    const machine = await this.#options.facts.known();
    const { live: first } = await this.#current(target);
    const builtFor = resolveSettings(also ?? {}, first.settings, machine);
    if (also !== undefined) this.#checkLive(target, builtFor);
    this.#checkCaps(builtFor);
    const built = await this.#built(target, code, builtFor, progress);
    const { fn, live, isNew } = await this.#codeGate.share(async () => {
      await this.#keep(built, code);
      return this.#commit(async () => {
        const before = await this.#current(target);
        const settings = resolveSettings(also ?? {}, before.live.settings, machine);
        if (also !== undefined) this.#checkLive(target, settings);
        this.#checkCaps(settings);
        if (buildKey(settings) !== buildKey(builtFor)) throw changedMeanwhile(target.name);
        const metadata = metadataOf(also ?? {});
        const isSame = sameCode(built, before.live) && sameSettings(settings, before.live.settings);
        if (also !== undefined && isSame)
          return { ...(await this.#describe(target, before, metadata)), isNew: false };
        const isCode = also === undefined || built.artifact.digest !== before.live.artifact.digest;
        const reason = isCode ? ("code" as const) : ("settings" as const);
        const next = { ...built, settings, reason, metadata };
        return { ...(await this.#addRevision(target, before.fn, next)), isNew: true };
      });
    });
    if (!isNew) return { fn, live, applied: true };
    this.#noteRevision(target, live);
    return this.#told(target, fn, live);
  }

  async rollback(target: Target, revision: number): Promise<Deployed> {
    const { store } = this.#options;
    const { project, name } = target;
    const { fn, live } = await this.#commit(async () => {
      const before = await this.#current(target);
      const wanted = await store.getRevision(before.fn.id, revision);
      this.#checkLive(target, wanted.settings);
      this.#checkCaps(wanted.settings);
      await failPoint("deploy.before-commit");
      const fn = await store.setLive(project, name, revision, before.fn.version);
      this.#putLive(fn, wanted.settings);
      return { fn, live: wanted };
    });
    this.#note("function_rolled_back", target, { revision });
    return this.#told(target, fn, live);
  }

  /** Returns whether the gateway has confirmed. */
  async delete(target: Target): Promise<boolean> {
    const { project, name, ifVersion } = target;
    const { store, publisher, live, schedules } = this.#options;
    await this.#commit(async () => {
      await store.deleteFunction(project, name, ifVersion);
      live.delete({ project, name });
      schedules.delete({ project, name });
    });
    this.#note("function_deleted", target, {});
    await failPoint("delete.committed");
    const applied = await publisher.publish({ project, name }, APPLY_WAIT_MS);
    await failPoint("delete.published");
    return applied;
  }

  /** Removes the code that no revision refers to. */
  async collectGarbage(): Promise<void> {
    const { store, artifacts } = this.#options;
    await this.#codeGate.alone(async () => {
      await artifacts.collectGarbage(await store.artifactDigests());
    });
  }

  /** Keeps the code and builds what it needs; outside of the gate, as a build may take minutes. Their age protects both meanwhile. */
  async #built(
    target: Target,
    code: CodeInput,
    settings: RevisionSettings,
    progress: BuildProgress,
  ): Promise<Code> {
    const { artifacts } = this.#options;
    const artifact = await this.#codeGate.share(() => artifacts.put(code));
    return this.#withLayer(target, artifact, settings, progress);
  }

  async #withLayer(
    { project, name }: Target,
    artifact: Artifact,
    settings: RevisionSettings,
    progress: BuildProgress,
  ): Promise<Code> {
    const request = { project, name, artifact, settings };
    const layer = await this.#options.builds.layerFor(request, progress);
    const code = { artifact, ...(layer && { layer }) };
    checkSize(code);
    return code;
  }

  /** What a change of settings makes of the code that is live; null: the code stays as it is. */
  async #rebuilt(
    target: Target,
    body: FunctionSettings,
    machine: Awaited<ReturnType<GatewayFacts["known"]>>,
    progress: BuildProgress,
  ): Promise<(Code & { key: string }) | null> {
    const { live } = await this.#current(target);
    const settings = resolveSettings(body, live.settings, machine);
    if (buildKey(settings) === buildKey(live.settings)) return null;
    this.#checkLive(target, settings);
    const code = await this.#withLayer(target, live.artifact, settings, progress);
    return { ...code, key: buildKey(settings) };
  }

  /** Both are there still, or are again, until a revision refers to them. */
  async #keep({ artifact, layer }: Code, code: CodeInput): Promise<void> {
    const { artifacts } = this.#options;
    if (!(await artifacts.has(artifact.digest))) await artifacts.put(code);
    if (layer === undefined || (await artifacts.has(layer.artifact.digest))) return;
    throw new IsolaError("not_ready", "what was built has been removed meanwhile; deploy again");
  }

  /** Spares the work on code that could not be committed. */
  async #checkNew(target: Target, settings: RevisionSettings): Promise<void> {
    const { project, name } = target;
    this.#checkLive(target, settings);
    try {
      await this.#options.store.getFunction(project, name);
    } catch (error) {
      if (error instanceof IsolaError && error.code === "not_found") return;
      throw error;
    }
    throw new IsolaError(
      "conflict",
      `a function named ${name} exists; change it, or choose another name`,
    );
  }

  #checkLive({ project, name }: Target, { route, driver }: RevisionSettings): void {
    this.#options.live.check({ project, name, route, driver });
  }

  #putLive(fn: FunctionRow, settings: RevisionSettings): void {
    const { project, name } = fn;
    const { route, driver } = settings;
    this.#options.live.put({ project, name, route, driver });
    this.#options.schedules.put(fn, settings);
  }

  #checkCaps(settings: RevisionSettings): void {
    const { timeoutMsMax, invocationsMax } = this.#options;
    const problems = [
      ...checkTimeout(settings, timeoutMsMax),
      ...checkReserved(settings, invocationsMax),
    ];
    if (problems.length > 0) throw invalidRequest(problems);
  }

  async #current(target: Target): Promise<{ fn: FunctionRow; live: RevisionRow }> {
    const { store } = this.#options;
    const fn = await store.getFunction(target.project, target.name);
    if (target.ifVersion !== undefined && target.ifVersion !== fn.version)
      throw new IsolaError(
        "precondition_failed",
        `If-Match: expected "v${fn.version}", given "v${target.ifVersion}"; read ${fn.name} again`,
      );
    return { fn, live: await store.getRevision(fn.id, fn.liveRevision) };
  }

  /** Changes what makes no revision, where anything was given. */
  async #describe(
    { project, name }: Target,
    { fn, live }: { fn: FunctionRow; live: RevisionRow },
    metadata: Metadata,
  ): Promise<{ fn: FunctionRow; live: RevisionRow }> {
    if (Object.keys(metadata).length === 0) return { fn, live };
    const { store } = this.#options;
    return { fn: await store.updateMetadata(project, name, metadata, fn.version), live };
  }

  async #addRevision(
    target: Target,
    fn: FunctionRow,
    next: Omit<NewRevision, "createdBy">,
  ): Promise<{ fn: FunctionRow; live: RevisionRow }> {
    const { project, name, keyId } = target;
    const make = () => ({ ...next, createdBy: keyId });
    const { store } = this.#options;
    await failPoint("deploy.before-commit");
    const added = await store.addRevision(project, name, make, fn.version);
    this.#putLive(added.fn, next.settings);
    return { fn: added.fn, live: added.revision };
  }

  #noteRevision(target: Target, { revision, reason, settings }: RevisionRow): void {
    const fields = { revision, driver: settings.driver, reason };
    this.#note("function_deployed", target, fields);
  }

  #note<K extends EventKind>(
    kind: K,
    target: Target,
    fields: Omit<Parameters<typeof eventOf<K>>[2], "key">,
  ): void {
    const { events, clock } = this.#options;
    const all = { ...fields, key: target.keyId } as Parameters<typeof eventOf<K>>[2];
    events.add(eventOf(kind, clock.wall(), all, target));
  }

  #commit<T>(task: () => Promise<T>): Promise<T> {
    return this.#commits.run("commit", task);
  }

  async #told({ project, name }: Target, fn: FunctionRow, live: RevisionRow): Promise<Deployed> {
    await failPoint("deploy.committed");
    const applied = await this.#options.publisher.publish({ project, name }, APPLY_WAIT_MS);
    await failPoint("deploy.published");
    return { fn, live, applied };
  }
}

function metadataOf({ description, labels }: Metadata): Metadata {
  return { ...(description !== undefined && { description }), ...(labels && { labels }) };
}
