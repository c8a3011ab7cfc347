import { Anchor, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { queries } from "../../api/queries.ts";
import { visibleText } from "../../format/visible-text.ts";
import { Moment } from "../../parts/moment.tsx";
import { OutcomeBadge } from "../../parts/outcome-badge.tsx";

/** The last calls that did not end well. */
export function RecentFailures() {
  const failures = useQuery(queries.failures());
  const rows = failures.data ?? [];
  return (
    <Stack gap="xs">
      <Title order={2}>Recent failures</Title>
      {failures.data !== undefined && rows.length === 0 && <Text c="dimmed">None is kept.</Text>}
      {rows.length > 0 && (
        <Table.ScrollContainer minWidth={480}>
          <Table withTableBorder>
            <Table.Thead>
              <Table.Tr>
                {["When", "Function", "Outcome", "Why"].map((head) => (
                  <Table.Th key={head}>{head}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map(({ id, startedAt, functionName, outcome, errorMessage }) => (
                <Table.Tr key={id}>
                  <Table.Td>
                    <Moment at={startedAt} />
                  </Table.Td>
                  <Table.Td>
                    <Anchor
                      component={Link}
                      to="/functions/$name/invocations"
                      params={{ name: functionName } as never}
                      search={{ id } as never}
                      size="sm"
                    >
                      {functionName}
                    </Anchor>
                  </Table.Td>
                  <Table.Td>
                    <OutcomeBadge outcome={outcome} />
                  </Table.Td>
                  <Table.Td style={{ overflowWrap: "anywhere" }}>
                    {visibleText((errorMessage ?? "").slice(0, 200))}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  );
}
