import { Anchor, Stack, Table, Text, Title } from "@mantine/core";
import type { CostView } from "@isola/api/cost";
import { Link } from "@tanstack/react-router";
import { money } from "../../format/money.ts";
import { count } from "../../format/units.ts";

/** What a million calls would cost on each driver, by the latest comparison. */
export function DriverCosts({ cost: { comparison, currency, priceList } }: { cost: CostView }) {
  if (comparison === null)
    return (
      <Text c="dimmed">
        What each driver costs is known once a function has been{" "}
        <Anchor component={Link} to="/compare">
          compared
        </Anchor>
        .
      </Text>
    );
  const shown = (value: number | null, how: (value: number) => string) =>
    value === null ? "not measured" : how(value);
  return (
    <Stack gap="xs">
      <Title order={2}>Drivers, by a comparison of {comparison.function}</Title>
      <Table.ScrollContainer minWidth={560}>
        <Table withTableBorder>
          <Table.Thead>
            <Table.Tr>
              {[
                "Driver",
                "CPU per call (us)",
                "Calls a second",
                "A million calls",
                "A GB-second",
                `At ${priceList.provider}, a million`,
              ].map((head) => (
                <Table.Th key={head}>{head}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {comparison.drivers.map((driver) => (
              <Table.Tr key={driver.driver}>
                <Table.Td>{driver.driver}</Table.Td>
                <Table.Td>
                  {shown(driver.cpuMicrosPerCall, (value) => count(Math.round(value)))}
                </Table.Td>
                <Table.Td>
                  {shown(
                    driver.bound === "memory"
                      ? driver.callsPerSecondByMemory
                      : driver.callsPerSecondByCpu,
                    (value) =>
                      `${count(Math.round(value))}${driver.bound === null ? "" : `, bound by ${driver.bound}`}`,
                  )}
                </Table.Td>
                <Table.Td>
                  {shown(driver.perMillionCalls, (value) => money(value, currency))}
                </Table.Td>
                <Table.Td>
                  {shown(driver.perGbSecondReserved, (value) => money(value, currency))}
                </Table.Td>
                <Table.Td>
                  {driver.listPricePerMillion === null
                    ? "not measured"
                    : money(driver.listPricePerMillion.x86_64.total, priceList.currency)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}
