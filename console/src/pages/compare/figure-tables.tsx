import { Text } from "@mantine/core";
import type { ComparisonView, FigureView } from "@isola/api/comparisons";
import type { ReactNode } from "react";
import { driverColors } from "../../format/outcomes.ts";
import { FactTable } from "../../parts/fact-table.tsx";
import classes from "./figure-tables.module.css";
import { type FigureRow, figureText, figureWords, groupFigures } from "./figures.ts";

type DriverResult = ComparisonView["drivers"][number];

const workloadTitles: Record<string, string> = {
  function: "The function",
  syscall: "System calls",
  cpu: "CPU",
  memory: "Memory",
  io: "Files",
};

interface ShownRow {
  name: string;
  note: string;
  cell(result: DriverResult): ReactNode;
}

/** One table for each kind of work: a row for each figure, a column for each driver, with bars. */
export function FigureTables({ drivers }: { drivers: readonly DriverResult[] }) {
  const measured = drivers.filter(({ figures }) => figures.length > 0);
  if (measured.length === 0) return <Text c="dimmed">There are no figures yet.</Text>;
  return groupFigures(measured).map(({ workload, rows }) => (
    <FactTable
      key={workload}
      title={workloadTitles[workload] ?? workload}
      rows={[...rows.map(shownFigure), ...(workload === "function" ? [density] : [])]}
      keyOf={({ name }) => name}
      empty=""
      columns={[
        {
          head: "Figure",
          isRowHead: true,
          widthPx: 340,
          cell: ({ name, note }) => <WithNote text={name} note={note} />,
        },
        ...measured.map((result) => ({
          key: result.driver,
          head: <WithNote text={result.driver} note={result.tier} />,
          cell: (row: ShownRow) => row.cell(result),
        })),
      ]}
    />
  ));
}

function WithNote({ text, note }: { text: string; note: string }) {
  return (
    <>
      {text}{" "}
      <Text span size="xs" c="dimmed">
        {note}
      </Text>
    </>
  );
}

function shownFigure({ name, unit, cells, most }: FigureRow): ShownRow {
  return {
    name: figureWords[name] ?? name,
    note: unit,
    cell: ({ driver }) => (
      <Figure figure={cells.get(driver)} most={most} color={driverColors[driver] ?? "#868e96"} />
    ),
  };
}

const density: ShownRow = {
  name: "Sandboxes that fit",
  note: "by the budget, by an idle one's memory",
  cell: ({ density: fit }) =>
    fit === null ? "not measured" : `${fit.byBudget}, ${fit.byIdleMemory ?? "not measured"}`,
};

interface FigureProps {
  figure: FigureView | undefined;
  most: number;
  color: string;
}

function Figure({ figure, most, color }: FigureProps) {
  if (figure === undefined || figure.median === null)
    return (
      <Text size="xs" c="dimmed" title={figure?.missing ?? ""}>
        {figure?.missing ?? "not measured"}
      </Text>
    );
  const width = most === 0 ? 0 : (figure.median / most) * 100;
  return (
    <>
      {figureText(figure)}
      <div className={classes.track} aria-hidden>
        <div className={classes.bar} style={{ width: `${width}%`, background: color }} />
      </div>
    </>
  );
}
