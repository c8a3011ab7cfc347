import { Anchor, Badge, Group, Skeleton, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useScope } from "../../api/project-scope.ts";
import { ErrorState } from "../../parts/error-state.tsx";
import { FactTable } from "../../parts/fact-table.tsx";
import { Moment } from "../../parts/moment.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { StartComparison } from "./start-comparison.tsx";

/** Which isolation should I choose? */
export function ComparePage() {
  const { queries } = useScope();
  const list = useQuery(queries.comparisons());
  return (
    <>
      <PageHeader
        title="Compare"
        text="Which isolation should I choose? The same function under the same load on each driver, measured on this machine"
      />
      <Stack>
        <StartComparison />
        {list.data === undefined ? (
          list.error === null ? (
            <Skeleton h={120} />
          ) : (
            <ErrorState error={list.error} onRetry={() => void list.refetch()} />
          )
        ) : (
          <FactTable
            title="Comparisons"
            rows={list.data.items}
            keyOf={({ id }) => id}
            empty="Nothing has been compared yet. Choose a function above; a quick comparison takes a minute."
            columns={[
              {
                head: "When",
                cell: ({ id, startedAt }) => (
                  <Anchor component={Link} to="/compare/$id" params={{ id } as never} size="sm">
                    <Moment at={startedAt} />
                  </Anchor>
                ),
              },
              { head: "Function", cell: (each) => each.function },
              {
                head: "Drivers",
                cell: ({ drivers }) => (
                  <Group gap={4}>
                    {drivers.map(({ driver, state }) => (
                      <Badge key={driver} size="sm" variant="default" tt="none">
                        {state === "measured" ? driver : `${driver}: ${state}`}
                      </Badge>
                    ))}
                  </Group>
                ),
              },
              {
                head: "State",
                cell: ({ state, percent, phase }) =>
                  state === "running" ? `${percent} %, ${phase ?? "beginning"}` : state,
              },
            ]}
          />
        )}
      </Stack>
    </>
  );
}
