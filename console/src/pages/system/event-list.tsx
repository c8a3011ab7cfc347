import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useScope } from "../../api/project-scope.ts";
import { visibleText } from "../../format/visible-text.ts";
import { ErrorState } from "../../parts/error-state.tsx";
import { FactTable } from "../../parts/fact-table.tsx";
import { Moment } from "../../parts/moment.tsx";
import { DotBadge } from "../../parts/dot-badge.tsx";

const colors: Record<string, string> = { info: "#868e96", warning: "#f08c00", error: "#e03131" };

/** What happened to the platform lately, newest first. */
export function EventList() {
  const { queries } = useScope();
  const events = useQuery(queries.events());
  if (events.data === undefined)
    return events.error === null ? <Skeleton h={100} /> : <ErrorState error={events.error} />;
  return (
    <FactTable
      title="Events"
      rows={events.data.items}
      keyOf={({ id }) => id}
      empty="Nothing has happened yet."
      maxHeightPx={400}
      columns={[
        { head: "When", cell: ({ at }) => <Moment at={at} /> },
        {
          head: "Severity",
          cell: ({ severity }) => (
            <DotBadge color={colors[severity] ?? "#868e96"}>{severity}</DotBadge>
          ),
        },
        { head: "What", isProse: true, cell: ({ message }) => visibleText(message) },
      ]}
    />
  );
}
