import { Text } from "@mantine/core";
import type { Scope } from "../../api/project-scope.ts";
import type { FunctionView } from "@isola/api/functions";
import { count, duration, percent } from "../../format/units.ts";
import type { CallFigures } from "../../metrics/call-figures.ts";
import { DriverName } from "../../parts/driver-name.tsx";
import { FunctionLink } from "../../parts/function-link.tsx";
import { Moment } from "../../parts/moment.tsx";
import { Sparkline } from "../../parts/sparkline.tsx";
import type { Column } from "../../parts/virtual-table.tsx";

/** By function; undefined until it is known. */
export type FiguresOf = (fn: FunctionView) => CallFigures | null | undefined;

/** Of the list of functions; `figuresOf` gives null for one that was not called. */
export function functionColumns(
  figuresOf: FiguresOf,
  scope: Pick<Scope, "project" | "home">,
): readonly Column<FunctionView>[] {
  return [
    {
      id: "name",
      header: "Name",
      width: "minmax(92px, 2fr)",
      sort: "name",
      cell: ({ name, project }) => <FunctionLink name={name} project={project} scope={scope} />,
    },
    {
      id: "route",
      header: "Route",
      width: "minmax(100px, 2fr)",
      isWideOnly: true,
      cell: ({ url, route }) => (
        <Text size="sm" c="dimmed" title={url} truncate>
          {route?.path ?? new URL(url).pathname}
        </Text>
      ),
    },
    {
      id: "runtime",
      header: "Runtime",
      width: "96px",
      isWideOnly: true,
      cell: ({ runtime }) => runtime,
    },
    {
      id: "driver",
      header: "Driver",
      width: "84px",
      isWideOnly: true,
      cell: ({ driver }) => <DriverName name={driver} />,
    },
    {
      id: "calls",
      header: "Last 24 h",
      width: "minmax(64px, 120px)",
      cell: (fn) => <Calls figures={figuresOf(fn)} />,
    },
    {
      id: "errors",
      header: "Errors",
      width: "58px",
      isNumber: true,
      cell: (fn) => <ErrorRate figures={figuresOf(fn)} />,
    },
    {
      id: "p95",
      header: "p95",
      width: "68px",
      isNumber: true,
      cell: (fn) => known(figuresOf(fn), ({ p95 }) => (p95 === null ? "–" : duration(p95))),
    },
    {
      id: "updated",
      header: "Last deploy",
      width: "92px",
      sort: "updatedAt",
      isNumber: true,
      isWideOnly: true,
      cell: ({ updatedAt }) => <Moment at={updatedAt} />,
    },
  ];
}

type Figures = CallFigures | null | undefined;

/** Nothing until it is known; a dash for what was not called. */
function known(figures: Figures, how: (figures: CallFigures) => string): string {
  return figures === undefined ? "" : figures === null ? "–" : how(figures);
}

function Calls({ figures }: { figures: Figures }) {
  if (figures === undefined) return null;
  if (figures === null)
    return (
      <Text size="xs" c="dimmed">
        no calls
      </Text>
    );
  const { calls, errors, callSteps, errorSteps } = figures;
  const label = `${count(calls)} calls, ${count(errors)} errors in 24 hours`;
  return <Sparkline values={callSteps} bad={errorSteps} label={label} />;
}

function ErrorRate({ figures }: { figures: Figures }) {
  const text = known(figures, ({ errors, calls }) => percent(calls === 0 ? 0 : errors / calls));
  const isBad = (figures?.errors ?? 0) > 0;
  return (
    <Text size="sm" {...(isBad && { c: "var(--mantine-color-error)", fw: 600 })}>
      {text}
    </Text>
  );
}
