import { Anchor, Stack, Table, Text, Title } from "@mantine/core";
import type { MetricsView } from "@isola/api/metrics";
import { Link } from "@tanstack/react-router";
import { count, duration, percent } from "../../format/units.ts";
import { valuesOf } from "../../metrics/pick.ts";

/** Functions with most errors first, then those that are called most. */
export function AttentionList({ view }: { view: MetricsView }) {
  const rows = view.groups.map((group) => {
    const whole = (metric: string, statistic: string) =>
      valuesOf(group, metric, statistic)?.whole ?? null;
    const calls = whole("invocations", "sum") ?? 0;
    const errors = whole("errors", "sum") ?? 0;
    const cold = whole("coldStarts", "sum") ?? 0;
    return {
      name: String(group.labels.function),
      calls,
      errors,
      cold,
      p95: whole("duration", "p95"),
    };
  });
  rows.sort((a, b) => b.errors - a.errors || b.calls - a.calls);
  return (
    <Stack gap="xs">
      <Title order={2}>What needs attention</Title>
      {rows.length === 0 ? (
        <Text c="dimmed">No function was called in this time.</Text>
      ) : (
        <Table.ScrollContainer minWidth={480}>
          <Table withTableBorder>
            <Table.Thead>
              <Table.Tr>
                {["Function", "Invocations", "Errors", "Cold starts", "p95"].map((head) => (
                  <Table.Th key={head}>{head}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map(({ name, calls, errors, cold, p95 }) => (
                <Table.Tr key={name}>
                  <Table.Td>
                    <Anchor
                      component={Link}
                      to="/functions/$name/overview"
                      params={{ name } as never}
                      size="sm"
                    >
                      {name}
                    </Anchor>
                  </Table.Td>
                  <Table.Td>{count(calls)}</Table.Td>
                  <Table.Td>
                    {count(errors)}
                    {errors > 0 && ` (${percent(errors / calls)})`}
                  </Table.Td>
                  <Table.Td>{calls === 0 ? "none" : percent(cold / calls)}</Table.Td>
                  <Table.Td>{p95 === null ? "no data" : duration(p95)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  );
}
