import { useQuery } from "@tanstack/react-query";
import { useScope } from "../../api/project-scope.ts";
import { visibleText } from "../../format/visible-text.ts";
import { FactTable } from "../../parts/fact-table.tsx";
import { FunctionLink } from "../../parts/function-link.tsx";
import { Moment } from "../../parts/moment.tsx";
import { OutcomeBadge } from "../../parts/outcome-badge.tsx";

const MESSAGE_CHARS = 200;

/** The last calls that did not end well. */
export function RecentFailures() {
  const scope = useScope();
  const failures = useQuery(scope.queries.failures());
  if (failures.data === undefined) return null;
  return (
    <FactTable
      title="Recent failures"
      rows={failures.data.items}
      keyOf={({ id }) => id}
      empty="None is kept."
      columns={[
        { head: "When", cell: ({ startedAt }) => <Moment at={startedAt} /> },
        {
          head: "Function",
          cell: ({ id, project, functionName }) => (
            <FunctionLink
              name={functionName}
              project={project}
              scope={scope}
              tab="invocations"
              search={{ id }}
            />
          ),
        },
        { head: "Outcome", cell: ({ outcome }) => <OutcomeBadge outcome={outcome} /> },
        {
          head: "Why",
          isProse: true,
          cell: ({ errorMessage }) => visibleText((errorMessage ?? "").slice(0, MESSAGE_CHARS)),
        },
      ]}
    />
  );
}
