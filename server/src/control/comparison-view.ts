import type { ComparisonSummary, ComparisonView, FigureView } from "@isola/api/comparisons";
import type { Progress } from "../comparisons/run-comparison.ts";
import { type DriverResult, figureSpecs } from "../domain/comparison.ts";
import type { ComparisonRow } from "../store/comparison-store.ts";
import { isoTime } from "./function-view.ts";

export function comparisonView(row: ComparisonRow, progress: Progress | null): ComparisonView {
  return {
    ...summaryView(row, progress),
    drivers: row.drivers.map(driverView),
    subject: row.subject,
    parameters: row.parameters,
    machine: row.machine,
    otherCalls: row.otherCalls,
  };
}

export function summaryView(row: ComparisonRow, progress: Progress | null): ComparisonSummary {
  const isRunning = row.state === "running";
  return {
    id: row.id,
    function: row.functionName,
    revision: row.revision,
    state: row.state,
    message: row.message === "" ? null : row.message,
    phase: isRunning ? (progress?.phase ?? "ends") : null,
    percent: row.state === "done" ? 100 : isRunning ? (progress?.percent ?? 99) : 0,
    drivers: row.drivers.map(({ driver, state }) => ({ driver, state })),
    startedAt: isoTime(row.startedAt),
    endedAt: row.endedAt === null ? null : isoTime(row.endedAt),
  };
}

function driverView({ figures, ...result }: DriverResult): ComparisonView["drivers"][number] {
  const views: FigureView[] = figures.map(({ workload, name, ...figure }) => ({
    ...{ workload, name, unit: figureSpecs[name].unit },
    ...figure,
  }));
  return { ...result, figures: views };
}
