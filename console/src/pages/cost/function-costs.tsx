import { Anchor, Stack, Table, Text, Title } from "@mantine/core";
import type { CostView } from "@isola/api/cost";
import { Link } from "@tanstack/react-router";
import { money } from "../../format/money.ts";
import { count } from "../../format/units.ts";

/** Each function and driver, with the dearest first. */
export function FunctionCosts({ cost: { functions, currency, priceList } }: { cost: CostView }) {
  const rows = functions.toSorted((a, b) => b.cost - a.cost);
  return (
    <Stack gap="xs">
      <Title order={2}>Functions</Title>
      {rows.length === 0 ? (
        <Text c="dimmed">No call is recorded in this time.</Text>
      ) : (
        <Table.ScrollContainer minWidth={560}>
          <Table withTableBorder>
            <Table.Thead>
              <Table.Tr>
                {[
                  "Function",
                  "Driver",
                  "Calls",
                  "GB-seconds",
                  "CPU-seconds",
                  "Cost here",
                  `At ${priceList.provider}`,
                ].map((head) => (
                  <Table.Th key={head}>{head}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((row) => (
                <Table.Tr key={`${row.function} ${row.driver}`}>
                  <Table.Td>
                    <Anchor
                      component={Link}
                      to="/functions/$name/overview"
                      params={{ name: row.function } as never}
                      size="sm"
                    >
                      {row.function}
                    </Anchor>
                  </Table.Td>
                  <Table.Td>{row.driver}</Table.Td>
                  <Table.Td>{count(row.calls)}</Table.Td>
                  <Table.Td>
                    {row.gbSeconds.toLocaleString(undefined, { maximumSignificantDigits: 4 })}
                  </Table.Td>
                  <Table.Td>
                    {row.cpuSeconds === null
                      ? "not measured"
                      : row.cpuSeconds.toLocaleString(undefined, { maximumSignificantDigits: 3 })}
                  </Table.Td>
                  <Table.Td>{money(row.cost, currency)}</Table.Td>
                  <Table.Td>{money(row.listPrice.x86_64.total, priceList.currency)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  );
}
