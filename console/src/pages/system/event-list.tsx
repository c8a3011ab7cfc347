import { Badge, Skeleton, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { queries } from "../../api/queries.ts";
import { visibleText } from "../../format/visible-text.ts";
import { ErrorState } from "../../parts/error-state.tsx";
import { Moment } from "../../parts/moment.tsx";

const colors: Record<string, string> = { info: "gray", warning: "orange", error: "red" };

/** What happened to the platform lately, newest first. */
export function EventList() {
  const events = useQuery(queries.events());
  return (
    <Stack gap="xs">
      <Title order={2}>Events</Title>
      {events.error !== null && <ErrorState error={events.error} />}
      {events.isPending && <Skeleton h={100} />}
      {events.data?.items.length === 0 && <Text c="dimmed">Nothing has happened yet.</Text>}
      {events.data !== undefined && events.data.items.length > 0 && (
        <Table.ScrollContainer minWidth={500} mah={400}>
          <Table withTableBorder>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>When</Table.Th>
                <Table.Th>Severity</Table.Th>
                <Table.Th>What</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {events.data.items.map(({ id, at, severity, message }) => (
                <Table.Tr key={id}>
                  <Table.Td>
                    <Moment at={at} />
                  </Table.Td>
                  <Table.Td>
                    <Badge
                      size="sm"
                      variant="outline"
                      color={colors[severity] ?? "gray"}
                      c="inherit"
                      tt="none"
                    >
                      {severity}
                    </Badge>
                  </Table.Td>
                  <Table.Td style={{ overflowWrap: "anywhere" }}>{visibleText(message)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  );
}
