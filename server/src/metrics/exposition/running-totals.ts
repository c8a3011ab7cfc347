import type { GatewaySample, SamplePart } from "../../domain/gateway-sample.ts";
import { InvocationChunk } from "../../records/invocation-chunk.ts";
import type { RecordBatch } from "../../records/record-batch.ts";
import { countChunk } from "./count-chunk.ts";
import type { FunctionLabels, FunctionPlaces } from "./function-places.ts";
import { AllFunctionTotals, type FunctionTotals } from "./function-totals.ts";
import { GatewaySums } from "./gateway-sums.ts";

/** What belongs to a driver, and to no function. */
const noFunction: FunctionLabels = { project: "", function: "" };

/**
 * What was counted since the control plane started, of batches that were stored, each once. It is apart from the store, so that what is dropped there for its age counts all the same; with the
 * process it is gone.
 */
export class RunningTotals {
  readonly places: FunctionPlaces;
  readonly functions = new AllFunctionTotals();
  readonly sums = new GatewaySums((part) => this.totalsOf(part));
  recordsLost = 0;
  #last: { sample: GatewaySample; source: string; batch: number; takenMs: number } | null = null;

  constructor(places: FunctionPlaces) {
    this.places = places;
  }

  /** A batch that was not stored before; `nowMs` is monotonic. */
  add(batch: RecordBatch, nowMs: number): void {
    this.recordsLost += batch.lost ?? 0;
    if (batch.invocations !== null)
      countChunk(new InvocationChunk(batch.invocations), (deployment) => this.totalsOf(deployment));
    for (const sample of batch.samples ?? []) this.sums.add(sample);
    const sample = batch.samples?.at(-1);
    if (sample === undefined) return;
    const { source, batch: number } = batch;
    // A batch that had to wait comes after later ones.
    if (this.#last?.source === source && this.#last.batch > number) return;
    this.#last = { sample, source, batch: number, takenMs: nowMs };
  }

  totalsOf({
    project,
    functionName,
    driver,
  }: Pick<SamplePart, "project" | "functionName" | "driver">): FunctionTotals {
    const labels = functionName === "" ? noFunction : this.places.labelsOf(project, functionName);
    return this.functions.at(labels, driver);
  }

  /** What the gateway saw last; null where that was more than `ageMsMax` ago. */
  lastSample(nowMs: number, ageMsMax: number): GatewaySample | null {
    if (this.#last === null || nowMs - this.#last.takenMs > ageMsMax) return null;
    return this.#last.sample;
  }
}
