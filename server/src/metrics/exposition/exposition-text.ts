import {
  type ExportedName,
  type LabelsOf,
  type NameOfType,
  exportedMetrics,
} from "./exported-metrics.ts";
import { type SecondsHistogram, secondsBounds } from "./seconds-histogram.ts";

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const MICROS_PER_SECOND = 1e6;
const leLabels = [...secondsBounds.map(String), "+Inf"].map((bound) => `le="${bound}"`);
const escapes: Record<string, string> = { "\\": "\\\\", "\n": "\\n", '"': '\\"' };

/** The text format of Prometheus, version 0.0.4, metric by metric. Every value of a label may be any text. */
export class ExpositionText {
  readonly #parts = new Map<ExportedName, string[]>();

  /** In seconds, bytes, or a number of things, as the name says. */
  add<N extends NameOfType<"counter" | "gauge">>(
    name: N,
    labels: LabelsOf<N>,
    value: number,
  ): void {
    const own = labelText(name, labels);
    this.#of(name).push(own === "" ? `${name} ${value}\n` : `${name}{${own}} ${value}\n`);
  }

  addHistogram<N extends NameOfType<"histogram">>(
    name: N,
    labels: LabelsOf<N>,
    { counts, sumMicros }: SecondsHistogram,
  ): void {
    const own = labelText(name, labels);
    const before = own === "" ? "" : `${own},`;
    let text = "";
    let count = 0;
    for (const [at, le] of leLabels.entries()) {
      count += counts[at] as number;
      text += `${name}_bucket{${before}${le}} ${count}\n`;
    }
    text += `${name}_sum{${own}} ${sumMicros / MICROS_PER_SECOND}\n`;
    this.#of(name).push(`${text}${name}_count{${own}} ${count}\n`);
  }

  /** In the order of the catalogue; a metric of which nothing was added is left out. */
  toString(): string {
    let text = "";
    for (const [name, { help, type }] of Object.entries(exportedMetrics)) {
      const lines = this.#parts.get(name as ExportedName);
      if (lines === undefined) continue;
      text += `# HELP ${name} ${help.replaceAll(/[\\\n]/g, (each) => escapes[each] as string)}\n`;
      text += `# TYPE ${name} ${type}\n${lines.join("")}`;
    }
    return text;
  }

  #of(name: ExportedName): string[] {
    const known = this.#parts.get(name);
    if (known !== undefined) return known;
    const made: string[] = [];
    this.#parts.set(name, made);
    return made;
  }
}

/** An empty label is as good as none, and is left out. */
function labelText(name: ExportedName, labels: Record<string, string>): string {
  let text = "";
  for (const label of exportedMetrics[name].labels) {
    const value = labels[label] as string;
    if (value !== "") text += `${text === "" ? "" : ","}${label}="${escaped(value)}"`;
  }
  return text;
}

/** Half a surrogate pair is no UTF-8: it would be told as something else by each that reads it. */
function escaped(value: string): string {
  if (!/[\\\n"\ud800-\udfff]/.test(value)) return value;
  return value.toWellFormed().replaceAll(/[\\\n"]/g, (each) => escapes[each] as string);
}
