import type { ComparisonView, FigureView } from "@isola/api/comparisons";

/** What each figure is, in words of a heading; those that are not here are told by their name. */
export const figureWords: Readonly<Record<string, string>> = {
  coldFresh: "First call, a sandbox started for it",
  coldBlank: "First call, a blank sandbox there",
  warmP50: "Warm call, p50",
  warmP99: "Warm call, p99",
  callsPerSecond: "Calls a second",
  cpuPerCall: "CPU time of a call",
  gatewayCpuPerCall: "CPU time of the gateway for it",
  idleMemory: "Memory of an idle sandbox",
  busyMemory: "Memory of a busy sandbox",
  startsPerSecond: "Sandboxes started a second",
};

export interface FigureRow {
  name: string;
  unit: string;
  /** By driver. */
  cells: Map<string, FigureView>;
  /** The highest median, for bars. */
  most: number;
}

/** Figures by kind of work and name, in the order in which they were measured. */
export function groupFigures(
  drivers: readonly Pick<ComparisonView["drivers"][number], "driver" | "figures">[],
): { workload: string; rows: FigureRow[] }[] {
  const workloads = new Map<string, Map<string, FigureRow>>();
  for (const { driver, figures } of drivers)
    for (const figure of figures) {
      const rows = workloads.get(figure.workload) ?? new Map<string, FigureRow>();
      workloads.set(figure.workload, rows);
      const { name, unit, median } = figure;
      const row = rows.get(name) ?? { name, unit, cells: new Map<string, FigureView>(), most: 0 };
      rows.set(name, row);
      row.cells.set(driver, figure);
      row.most = Math.max(row.most, median ?? 0);
    }
  return [...workloads].map(([workload, rows]) => ({ workload, rows: [...rows.values()] }));
}

/** `12.3 (11.9 to 14)` */
export function figureText({ median, min, max }: FigureView): string {
  const shown = (value: number) => value.toLocaleString(undefined, { maximumSignificantDigits: 3 });
  if (median === null) return "not measured";
  if (min === null || max === null || min === max) return shown(median);
  return `${shown(median)} (${shown(min)} to ${shown(max)})`;
}
