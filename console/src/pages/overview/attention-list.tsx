import type { MetricsView } from "@isola/api/metrics";
import { useScope } from "../../api/project-scope.ts";
import { count, duration, percent } from "../../format/units.ts";
import { callFiguresOf } from "../../metrics/call-figures.ts";
import { FactTable } from "../../parts/fact-table.tsx";
import { FunctionLink } from "../../parts/function-link.tsx";

/** Functions with most errors first, then those that are called most. */
export function AttentionList({ view }: { view: MetricsView }) {
  const scope = useScope();
  const rows = view.groups.map((group) => callFiguresOf(group));
  rows.sort((a, b) => b.errors - a.errors || b.calls - a.calls);
  return (
    <FactTable
      title="What needs attention"
      rows={rows}
      keyOf={({ project, name }) => `${project} ${name}`}
      empty="No function was called in this time."
      columns={[
        {
          head: "Function",
          cell: ({ project, name }) => <FunctionLink project={project} name={name} scope={scope} />,
        },
        { head: "Invocations", isNumber: true, cell: ({ calls }) => count(calls) },
        {
          head: "Errors",
          isNumber: true,
          cell: ({ errors, calls }) =>
            errors === 0 ? "0" : `${count(errors)} (${percent(errors / calls)})`,
        },
        {
          head: "Cold starts",
          isNumber: true,
          cell: ({ cold, calls }) => (calls === 0 ? "none" : percent(cold / calls)),
        },
        {
          head: "p95",
          isNumber: true,
          cell: ({ p95 }) => (p95 === null ? "no data" : duration(p95)),
        },
      ]}
    />
  );
}
