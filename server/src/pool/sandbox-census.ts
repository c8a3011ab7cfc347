import type { Clock } from "../domain/clock.ts";
import type { SamplePart } from "../domain/gateway-sample.ts";
import { MiB } from "../domain/limits.ts";
import type { DestroyReason } from "../drivers/driver.ts";
import type { PooledSandbox } from "./pooled-sandbox.ts";

/** Read for one sample; the others have their turn with the next. */
const READINGS_MAX = 100;
const MIB_MS_PER_GB_SECOND = 1024 * 1000;

type Labels = Omit<SamplePart, "values">;

/**
 * All sandboxes there are, and what became of those that were: what a sample of the gateway says of them. A sandbox counts for its function's revision from its claim on; blank ones and
 * those of builds count for their driver.
 */
export class SandboxCensus {
  readonly #clock: Clock;
  /** Those that were read longest ago first, and until when their memory has been counted. */
  readonly #living = new Map<PooledSandbox, number>();
  #parts = new Map<string, SamplePart>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  born(sandbox: PooledSandbox): void {
    this.#living.set(sandbox, this.#clock.now());
    this.#add(labelsOf(sandbox), "starts", 1);
  }

  startFailed(driver: string): void {
    this.#add(labelsOfDriver(driver), "startFailures", 1);
  }

  died(sandbox: PooledSandbox, reason: DestroyReason): void {
    this.#add(labelsOf(sandbox), `ends:${reason}`, 1);
  }

  /** Nothing of it runs any more. */
  gone(sandbox: PooledSandbox): void {
    this.#countUse(sandbox);
    this.#living.delete(sandbox);
  }

  /** Asks what was used, of those that were called since they were asked last. */
  read(): void {
    const asked: [PooledSandbox, number][] = [];
    for (const entry of this.#living) {
      const [sandbox] = entry;
      if (sandbox.readings.isStale && sandbox.state !== "dead") asked.push(entry);
      if (asked.length === READINGS_MAX) break;
    }
    for (const [sandbox, countedUntil] of asked) {
      this.#living.delete(sandbox);
      this.#living.set(sandbox, countedUntil);
      void sandbox.readings.read();
    }
  }

  /** What there is now, and what was counted since this was asked last. */
  take(): SamplePart[] {
    for (const sandbox of this.#living.keys()) {
      const labels = labelsOf(sandbox);
      this.#countUse(sandbox);
      this.#add(labels, `sandboxes:${sandbox.state}`, 1);
      this.#add(labels, "running", sandbox.running);
      this.#add(labels, "memoryReserved", sandbox.reservedMiB);
      const { memoryBytes } = sandbox.readings.last;
      if (memoryBytes !== null) this.#add(labels, "memoryUsed", memoryBytes / MiB);
    }
    const parts = this.#parts;
    this.#parts = new Map();
    return [...parts.values()];
  }

  #countUse(sandbox: PooledSandbox): void {
    const since = this.#living.get(sandbox);
    if (since === undefined) return;
    const now = this.#clock.now();
    this.#living.set(sandbox, now);
    const labels = labelsOf(sandbox);
    const gbSeconds = (sandbox.reservedMiB * (now - since)) / MIB_MS_PER_GB_SECOND;
    this.#add(labels, "sandboxGbSeconds", gbSeconds);
    this.#add(labels, "sandboxCpu", sandbox.readings.takeCpu() / 1000);
  }

  #add(labels: Labels, measure: string, value: number): void {
    if (value === 0) return;
    const key = `${labels.driver} ${labels.functionId} ${labels.revision}`;
    const part = this.#parts.get(key) ?? { ...labels, values: {} };
    this.#parts.set(key, part);
    part.values[measure] = (part.values[measure] ?? 0) + value;
  }
}

function labelsOf(sandbox: PooledSandbox): Labels {
  const fn = sandbox.owner?.countsFor ?? null;
  if (fn === null) return labelsOfDriver(sandbox.driver);
  const { project, name: functionName, functionId, revision } = fn;
  return { project, functionName, functionId, revision, driver: sandbox.driver };
}

function labelsOfDriver(driver: string): Labels {
  return { project: "", functionName: "", functionId: "", revision: 0, driver };
}
