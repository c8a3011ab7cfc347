import type { GatewaySample, SamplePart } from "../domain/gateway-sample.ts";
import type { RecordBatch } from "../records/record-batch.ts";
import { ANY, type SeriesLabels, keyOf } from "./labels.ts";
import { MINUTE_MS } from "./minutes-of-chunk.ts";

/** One measure of one series in one minute. */
export interface MeasuredMinute {
  /** Of Unix time. */
  minute: number;
  labels: SeriesLabels;
  measure: string;
  detail: string;
  /** Of all samples. */
  total: number;
  /** The largest sample. */
  most: number;
}

/** How often the gateway looked: what is not there in a minute that has samples was 0. */
export const SAMPLES = "samples";

/** What samples come to, for each pool, for each driver in a project, and for everything. */
export function minutesOfSamples(
  { samples = [], lost = 0 }: Pick<RecordBatch, "samples" | "lost">,
  nowMs: number,
): MeasuredMinute[] {
  const minutes = new Map<string, MeasuredMinute>();
  for (const sample of samples) {
    const minute = Math.floor(sample.at / MINUTE_MS);
    for (const one of summed(sample)) addSample(minutes, { ...one, minute });
    addSample(minutes, { labels: everything, measure: SAMPLES, value: 1, minute });
  }
  if (lost > 0) {
    const minute = Math.floor(nowMs / MINUTE_MS);
    addSample(minutes, { labels: everything, measure: "recordsLost", value: lost, minute });
  }
  return [...minutes.values()];
}

interface Value {
  labels: SeriesLabels;
  /** With its detail. */
  measure: string;
  value: number;
}

const any = { functionName: ANY, functionId: ANY, revision: 0, outcome: ANY, startKind: ANY };
const everything: SeriesLabels = { ...any, project: ANY, driver: ANY };

/** The values of one sample, those of each level added up. */
function summed({ parts }: GatewaySample): Iterable<Value> {
  const values = new Map<string, Value>();
  for (const part of parts)
    for (const labels of levelsOf(part))
      for (const [measure, value] of Object.entries(part.values)) {
        const key = `${measure} ${keyOf(labels)}`;
        const known = values.get(key);
        if (known === undefined) values.set(key, { labels, measure, value });
        else known.value += value;
      }
  return values.values();
}

function levelsOf(part: SamplePart): SeriesLabels[] {
  const { project, functionName, functionId, revision, driver } = part;
  const exact = { ...any, project, functionName, functionId, revision, driver };
  if (driver === ANY) return [everything];
  const ofDriver = { ...any, project, driver };
  return functionName === ANY ? [ofDriver, everything] : [exact, ofDriver, everything];
}

function addSample(
  minutes: Map<string, MeasuredMinute>,
  { labels, measure, value, minute }: Value & { minute: number },
): void {
  const key = `${minute} ${measure} ${keyOf(labels)}`;
  const known = minutes.get(key);
  if (known !== undefined) {
    known.total += value;
    known.most = Math.max(known.most, value);
    return;
  }
  const [name = "", detail = ""] = measure.split(":");
  minutes.set(key, { minute, labels, measure: name, detail, total: value, most: value });
}
