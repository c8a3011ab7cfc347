import {
  type DriverResult,
  type Figure,
  type MixName,
  figureNames,
  figureSpecs,
  mixFigures,
  mixSpecs,
} from "../../domain/comparison.ts";
import type { ComparisonRow } from "../../store/comparison-store.ts";

/** The comparison as a page: what was measured where, one table for the function and one for the mixes, and what is missing. */
export function markdownOf(row: ComparisonRow): string {
  const parts = [
    `# ${row.functionName}, revision ${row.revision}: ${row.drivers.map(({ driver }) => driver).join(", ")}`,
    introOf(row),
    ...tablesOf(row),
    ...missingOf(row),
  ];
  return `${parts.join("\n\n")}\n`;
}

function tablesOf({ drivers, parameters }: ComparisonRow): string[] {
  const measured = drivers.filter(({ state }) => state === "measured");
  if (measured.length === 0) return [];
  const { mixes } = parameters;
  return [functionTable(measured), ...(mixes.length > 0 ? [mixTable(measured, mixes)] : [])];
}

function introOf({
  id,
  state,
  machine,
  parameters,
  subject,
  startedAt,
  otherCalls,
}: ComparisonRow) {
  const { cores, cpuModel, memoryMiB, kernel, versions, loadBefore } = machine;
  const { repeats, durationMs, coldStarts, connections, starts, call } = parameters;
  return [
    `Comparison ${id}, ${state}, of ${new Date(startedAt).toISOString()}. Median (least to greatest) of ${repeats} rounds on each driver in turn.`,
    `Machine: ${text(cpuModel)}, ${cores} cores, ${memoryMiB} MiB, ${text(kernel)}, Isola ${versions.isola}, Node.js ${versions.node}; load before ${loadBefore}; ${otherCalls} other calls meanwhile.`,
    `Function: ${subject.runtime}, memory ${subject.memoryMiB} MiB, concurrency ${subject.concurrency}, called with ${call === "event" ? "an event" : "an HTTP request"}. Each round: ${coldStarts} first calls of each kind, ${durationMs} ms for each warm measurement, ${connections} connections, ${starts} sandboxes started at once.`,
  ].join("\n");
}

function functionTable(drivers: readonly DriverResult[]): string {
  const rows = figureNames.map((name) => {
    const { unit, help } = figureSpecs[name];
    const cells = drivers.map((driver) => shown(figureOf(driver, "function", name)));
    return [`${name}: ${help}`, unit, ...cells];
  });
  const density = (label: string, pick: (driver: DriverResult) => number | null | undefined) => [
    label,
    "",
    ...drivers.map((driver) => String(pick(driver) ?? "-")),
  ];
  return table(
    ["figure", "unit", ...drivers.map(headOf)],
    [
      ...rows,
      density("sandboxes, by what the memory budget takes", ({ density: one }) => one?.byBudget),
      density("sandboxes, by idleMemory", ({ density: one }) => one?.byIdleMemory),
      density("sandboxes, by busyMemory", ({ density: one }) => one?.byBusyMemory),
    ],
  );
}

function mixTable(drivers: readonly DriverResult[], mixes: readonly MixName[]): string {
  const rows = mixes.flatMap((mix) =>
    mixFigures.map((name) => [
      `${mix} (${mixSpecs[mix]}): ${name}`,
      figureSpecs[name].unit,
      ...drivers.map((driver) => shown(figureOf(driver, mix, name))),
    ]),
  );
  return table(["mix", "unit", ...drivers.map(headOf)], rows);
}

function missingOf({ drivers }: ComparisonRow): string[] {
  const lines = drivers.flatMap(({ driver, state, reason, figures }) => {
    if (reason !== null) return [`- ${driver}: ${state}: ${text(reason)}`];
    return figures
      .filter(({ missing }) => missing !== null)
      .map(
        ({ workload, name, missing }) =>
          `- ${driver}, ${workload}, ${name}: ${text(missing ?? "")}`,
      );
  });
  return lines.length === 0 ? [] : [`Not measured:\n${lines.join("\n")}`];
}

function figureOf({ figures }: DriverResult, workload: Figure["workload"], name: Figure["name"]) {
  return figures.find((one) => one.workload === workload && one.name === name);
}

function headOf({ driver, tier }: DriverResult): string {
  return `${driver} (${tier})`;
}

function shown(figure: Figure | undefined): string {
  if (figure?.median === null || figure === undefined) return "-";
  return `${figure.median} (${figure.min} to ${figure.max})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(text).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Words of a function may be among it: nothing of them is markup. */
function text(words: string): string {
  return words
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .replace(/[\\`*_[\]<>|#&!~]/g, (character) => `\\${character}`);
}
