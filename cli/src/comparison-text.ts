import type { ComparisonSummary, ComparisonView, FigureView } from "@isola/api/comparisons";
import { table } from "./printable.ts";

type DriverView = ComparisonView["drivers"][number];

/** A comparison for a person: a row for each figure, a column for each driver, and below it what is missing and why. */
export function comparisonText(view: ComparisonView): string {
  const { machine, subject, parameters } = view;
  const measured = view.drivers.filter(({ figures }) => figures.length > 0);
  const lines = [
    summaryText(view),
    ...(view.message === null ? [] : [view.message]),
    `${machine.cpuModel}, ${machine.cores} cores, ${machine.memoryMiB} MiB, ${machine.kernel}, load before ${machine.loadBefore}, ${view.otherCalls} other calls meanwhile`,
    `${subject.runtime}, ${subject.memoryMiB} MiB; median (least to greatest) of ${parameters.repeats} rounds, ${parameters.durationMs} ms each, load from ${parameters.connections} connections`,
  ];
  if (measured.length > 0) lines.push("", figureTable(measured));
  const missing = view.drivers.flatMap(missingOf);
  if (missing.length > 0) lines.push("", ...missing);
  return lines.join("\n");
}

export function summaryText(one: ComparisonSummary | ComparisonView): string {
  const drivers = one.drivers.map(({ driver, state }) =>
    state === "measured" || state === "waiting" ? driver : `${driver} (${state})`,
  );
  const state = one.state === "running" ? `running, ${one.percent} %` : one.state;
  return `${one.id}  ${one.startedAt}  ${one.function} revision ${one.revision}  ${state}  ${drivers.join(", ")}`;
}

function figureTable(drivers: readonly DriverView[]): string {
  const figures = drivers[0]?.figures ?? [];
  const rows = figures.map(({ workload, name, unit }) => [
    workload === "function" ? name : `${workload} ${name}`,
    unit,
    ...drivers.map((driver) => shown(figureOf(driver, workload, name))),
  ]);
  const count = (label: string, pick: (driver: DriverView) => number | null | undefined) => [
    label,
    "",
    ...drivers.map((driver) => String(pick(driver) ?? "-")),
  ];
  return table(
    ["", "unit", ...drivers.map(({ driver, tier }) => `${driver} (${tier})`)],
    [
      ...rows,
      count("sandboxes by budget", ({ density }) => density?.byBudget),
      count("sandboxes by idleMemory", ({ density }) => density?.byIdleMemory),
      count("sandboxes by busyMemory", ({ density }) => density?.byBusyMemory),
    ],
  );
}

function figureOf({ figures }: DriverView, workload: string, name: string) {
  return figures.find((one) => one.workload === workload && one.name === name);
}

function shown(figure: FigureView | undefined): string {
  if (figure === undefined || figure.median === null) return "-";
  return `${figure.median} (${figure.min} to ${figure.max})`;
}

function missingOf({ driver, state, reason, figures }: DriverView): string[] {
  if (reason !== null) return [`${driver}: ${state}: ${reason}`];
  return figures
    .filter(({ missing }) => missing !== null)
    .map(({ workload, name, missing }) => `${driver}, ${workload} ${name}: ${missing}`);
}
