import { ScrollArea, Table } from "@mantine/core";
import { localTime } from "../format/time.ts";
import type { TimeChartProps } from "./time-chart.tsx";

/** The same values for who does not see the picture. */
export function ChartTable({ title, data, format, heightPx }: TimeChartProps) {
  const { times, series } = data;
  const isKnown = (at: number) => series.some(({ values }) => values[at] !== null);
  const rows = times.map((time, at) => ({ time, at })).filter(({ at }) => isKnown(at));
  return (
    <ScrollArea h={heightPx} viewportProps={{ tabIndex: 0 }}>
      <Table aria-label={title} stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Time</Table.Th>
            {series.map(({ name }) => (
              <Table.Th key={name}>{name}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ time, at }) => (
            <Table.Tr key={time}>
              <Table.Td>{localTime(new Date(time).toISOString())}</Table.Td>
              {series.map(({ name, values }) => {
                const value = values[at];
                return (
                  <Table.Td key={name}>
                    {value === null || value === undefined ? "no data" : format(value)}
                  </Table.Td>
                );
              })}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea>
  );
}
