import { strict as assert } from "node:assert";
import type { Clock } from "../domain/clock.ts";
import {
  COMPARISON_MS_MAX,
  type ComparisonParameters,
  type DriverResult,
} from "../domain/comparison.ts";
import type { DeployedFunction, DriverName } from "../domain/function.ts";
import { idSource } from "../domain/ids.ts";
import type { DriverProbe } from "../drivers/driver.ts";
import { IsolaError, messageOf } from "../errors.ts";
import type { GatewayStatus } from "../link/messages.ts";
import type { ComparisonEnd, ComparisonRow } from "../store/comparison-store.ts";
import type { Store } from "../store/store.ts";
import type { Call } from "./call-bytes.ts";
import { LoadProcess } from "./load-process.ts";
import { machineFacts } from "./machine-facts.ts";
import type { ComparisonArtifacts, ComparisonGateway, ComparisonLog } from "./ports.ts";
import { probeFiles } from "./probe-files.ts";
import { type Progress, type RunGiven, runComparison } from "./run-comparison.ts";
import { probeOf, whyNot } from "./trial-function.ts";

export interface ComparisonsOptions {
  store: Pick<Store, "addComparison" | "endComparison" | "closeComparisons">;
  gateway: ComparisonGateway;
  artifacts: ComparisonArtifacts;
  clock: Clock;
  log: ComparisonLog;
  /** Of Isola. */
  version: string;
}

export interface ComparisonAsked {
  fn: DeployedFunction;
  call: Call;
  parameters: Omit<ComparisonParameters, "call">;
  status: GatewayStatus;
}

interface Running {
  row: ComparisonRow;
  progress: Progress;
  abort: AbortController;
  /** How it ends when it is aborted. */
  endsAs: Pick<ComparisonEnd, "state" | "message">;
  ended: Promise<void>;
}

const CANCELLED = { state: "cancelled", message: "" } as const;
const TOO_LONG = {
  state: "failed",
  message: `it took longer than ${COMPARISON_MS_MAX / 60_000} minutes`,
} as const;
const STOPPED = { state: "failed", message: "the server stopped while it ran" } as const;

/** Runs comparisons, one at a time: `idle <-> running`, `closed`. */
export class Comparisons {
  readonly #options: ComparisonsOptions;
  readonly #newId = idSource("cmp");
  #running: Running | null = null;
  #isClosed = false;

  private constructor(options: ComparisonsOptions) {
    this.#options = options;
  }

  /** What an earlier life left running has failed. */
  static async open(options: ComparisonsOptions): Promise<Comparisons> {
    await options.store.closeComparisons("the control plane ended while it ran");
    return new Comparisons(options);
  }

  /** Resolves once it is stored and begins. Rejects with `conflict` while there is another, or with `driver_unavailable` where no driver can run the function. */
  async start(asked: ComparisonAsked): Promise<ComparisonRow> {
    if (this.#isClosed) throw new IsolaError("shutting_down", "the server stops");
    if (this.#running !== null) {
      const { id, functionName } = this.#running.row;
      const text = `comparison ${id} of ${functionName} is under way, and there is one at a time: wait for it, or cancel it with DELETE /api/v1/comparisons/${id}`;
      throw new IsolaError("conflict", text);
    }
    const row = this.#rowOf(asked);
    const abort = new AbortController();
    const running: Running = {
      ...{ row, abort, endsAs: CANCELLED, ended: Promise.resolve() },
      progress: { phase: "begins", percent: 0 },
    };
    this.#running = running;
    try {
      await this.#options.store.addComparison(row);
    } catch (error) {
      this.#running = null;
      throw error;
    }
    running.ended = this.#run(running, asked);
    return row;
  }

  /** null: it does not run. */
  progressOf(id: string): Progress | null {
    return this.#running?.row.id === id ? this.#running.progress : null;
  }

  /** Resolves when it has ended and nothing of it is left; false where it does not run. */
  async cancel(id: string): Promise<boolean> {
    const running = this.#running;
    if (running?.row.id !== id) return false;
    await this.#end(running, CANCELLED);
    return true;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#running !== null) await this.#end(this.#running, STOPPED);
  }

  async #end(running: Running, endsAs: Running["endsAs"]): Promise<void> {
    running.endsAs = endsAs;
    running.abort.abort();
    await running.ended;
  }

  /** Never rejects. */
  async #run(running: Running, asked: ComparisonAsked): Promise<void> {
    const { clock, store, log } = this.#options;
    const { row, abort } = running;
    const cancelTimer = clock.after(COMPARISON_MS_MAX, () => void this.#end(running, TOO_LONG));
    const end: ComparisonEnd = { ...CANCELLED, drivers: row.drivers, otherCalls: 0, endedAt: null };
    try {
      end.drivers = await this.#measure(running, asked, end);
      Object.assign(end, outcomeOf(end.drivers));
    } catch (error) {
      const failed = { state: "failed", message: messageOf(error) } as const;
      Object.assign(end, abort.signal.aborted ? running.endsAs : failed);
      if (!(error instanceof IsolaError)) log.warn({ id: row.id, err: error }, "comparison failed");
    }
    cancelTimer();
    try {
      await store.endComparison(row.id, { ...end, endedAt: clock.wall() });
    } catch (error) {
      // The next life of the control plane finds it running, and closes it.
      log.warn({ id: row.id, err: error }, "the end of a comparison could not be stored");
    }
    this.#running = null;
  }

  async #measure(
    running: Running,
    { fn, call, parameters, status }: ComparisonAsked,
    end: ComparisonEnd,
  ): Promise<DriverResult[]> {
    const { row } = running;
    const { signal } = running.abort;
    const probe = await this.#probe(fn, status);
    const load = new LoadProcess(signal);
    let firstCalls: number | null = null;
    const given: RunGiven = {
      ...{ id: row.id, fn, probe, call, load, signal },
      gateway: this.#options.gateway,
      parameters: { ...parameters, call: call.kind },
      memoryBudgetMiB: status.memoryBudgetMiB,
      drivers: row.drivers,
      onProgress: (progress) => {
        running.progress = progress;
      },
      onUsage: ({ otherCalls }) => {
        firstCalls ??= otherCalls;
        end.otherCalls = otherCalls - firstCalls;
      },
    };
    try {
      return await runComparison(given);
    } finally {
      await load.close();
    }
  }

  async #probe(fn: DeployedFunction, { runtimes }: GatewayStatus): Promise<DeployedFunction> {
    const runtime = runtimes.find(({ name }) => name === fn.settings.runtime);
    assert(runtime !== undefined, "it was there when the comparison began");
    const { files, handler } = probeFiles(runtime.family);
    const artifact = await this.#options.artifacts.put({ kind: "files", files });
    return probeOf(fn, artifact, handler);
  }

  #rowOf({ fn, call, parameters, status }: ComparisonAsked): ComparisonRow {
    const { project, name, revision, settings } = fn;
    const { runtime, memoryMiB, tmpMiB, concurrency } = settings;
    if (!status.runtimes.some((each) => each.name === runtime))
      throw new IsolaError(
        "driver_unavailable",
        `this machine has no ${runtime}; see isola doctor`,
      );
    const drivers = parameters.drivers.map((driver) => resultAtFirst(fn, driver, status));
    if (!drivers.some(({ state }) => state === "waiting")) {
      const why = drivers.map(({ driver, reason }) => `${driver}: ${reason}`).join("; ");
      throw new IsolaError("driver_unavailable", `no driver can run ${name} here: ${why}`);
    }
    return {
      ...{ id: this.#newId(), project, functionName: name, revision },
      ...{ state: "running", message: "", drivers, otherCalls: 0 },
      subject: { runtime, memoryMiB, tmpMiB, concurrency },
      parameters: { ...parameters, call: call.kind },
      machine: machineFacts(this.#options.version),
      startedAt: this.#options.clock.wall(),
      endedAt: null,
    };
  }
}

function resultAtFirst(
  fn: DeployedFunction,
  driver: DriverName,
  status: GatewayStatus,
): DriverResult {
  const probe: DriverProbe | undefined = status.drivers.find(({ name }) => name === driver);
  const reason = whyNot(fn, driver, status);
  return {
    driver,
    tier: probe?.tier ?? "none",
    versions: probe?.versions ?? {},
    memoryHow: probe?.protections.find(({ name }) => name === "memory")?.how ?? "",
    state: reason === null ? "waiting" : "unavailable",
    reason,
    figures: [],
    density: null,
  };
}

function outcomeOf(drivers: readonly DriverResult[]): Pick<ComparisonEnd, "state" | "message"> {
  if (drivers.some(({ state }) => state === "measured")) return { state: "done", message: "" };
  const why = drivers
    .filter(({ state }) => state === "failed")
    .map(({ driver, reason }) => `${driver}: ${reason}`);
  return { state: "failed", message: `the function runs on none of them: ${why.join("; ")}` };
}
