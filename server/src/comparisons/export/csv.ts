import { figureSpecs } from "../../domain/comparison.ts";
import type { ComparisonRow } from "../../store/comparison-store.ts";

const head = [
  ...["comparison", "function", "revision", "driver", "tier", "state", "reason"],
  ...["workload", "figure", "unit", "median", "min", "max", "values", "missing"],
];

/** A row for each figure of each driver; one for a driver without any. Lines end as RFC 4180 has them. */
export function csvOf({ id, functionName, revision, drivers }: ComparisonRow): string {
  const rows = drivers.flatMap(({ driver, tier, state, reason, figures }) => {
    const start = [id, functionName, revision, driver, tier, state, reason];
    if (figures.length === 0) return [[...start, ...Array<null>(8).fill(null)]];
    return figures.map(({ workload, name, median, min, max, values, missing }) => [
      ...[...start, workload, name, figureSpecs[name].unit],
      ...[median, min, max, values.join(" "), missing],
    ]);
  });
  return [head, ...rows].map((row) => `${row.map(cellOf).join(",")}\r\n`).join("");
}

/** Words of a function may stand in a cell: what a table program would take for a formula is marked as text. */
function cellOf(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
