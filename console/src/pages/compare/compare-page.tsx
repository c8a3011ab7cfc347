import { Anchor, Badge, Group, Skeleton, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { queries } from "../../api/queries.ts";
import { ErrorState } from "../../parts/error-state.tsx";
import { Moment } from "../../parts/moment.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { StartComparison } from "./start-comparison.tsx";

/** Which isolation should I choose? */
export function ComparePage() {
  const list = useQuery(queries.comparisons());
  return (
    <>
      <PageHeader
        title="Compare"
        text="Which isolation should I choose? The same function under the same load on each driver, measured on this machine"
      />
      <Stack>
        <StartComparison />
        <Title order={2}>Comparisons</Title>
        {list.error !== null && (
          <ErrorState error={list.error} onRetry={() => void list.refetch()} />
        )}
        {list.isPending && <Skeleton h={120} />}
        {list.data?.items.length === 0 && <Text c="dimmed">Nothing has been compared yet.</Text>}
        {list.data !== undefined && list.data.items.length > 0 && (
          <Table.ScrollContainer minWidth={480}>
            <Table withTableBorder>
              <Table.Thead>
                <Table.Tr>
                  {["When", "Function", "Drivers", "State"].map((head) => (
                    <Table.Th key={head}>{head}</Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {list.data.items.map((each) => (
                  <Table.Tr key={each.id}>
                    <Table.Td>
                      <Anchor
                        component={Link}
                        to="/compare/$id"
                        params={{ id: each.id } as never}
                        size="sm"
                      >
                        <Moment at={each.startedAt} />
                      </Anchor>
                    </Table.Td>
                    <Table.Td>{each.function}</Table.Td>
                    <Table.Td>
                      <Group gap={4}>
                        {each.drivers.map(({ driver, state }) => (
                          <Badge key={driver} size="sm" variant="default" tt="none">
                            {state === "measured" ? driver : `${driver}: ${state}`}
                          </Badge>
                        ))}
                      </Group>
                    </Table.Td>
                    <Table.Td>
                      {each.state === "running"
                        ? `${each.percent} %, ${each.phase ?? ""}`
                        : each.state}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Stack>
    </>
  );
}
