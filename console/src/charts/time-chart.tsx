import { ActionIcon, Group, Paper, Skeleton, Stack, Text, Title, Tooltip } from "@mantine/core";
import { Table as TableIcon } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { CopyButton } from "../parts/copy-button.tsx";
import { ChartTable } from "./chart-table.tsx";
import { type ChartData, asText, withoutEmpty } from "./series.ts";

export interface TimeChartProps {
  title: string;
  data: ChartData;
  /** `stack`: parts of a whole. */
  kind: "lines" | "stack";
  /** A value with its unit. */
  format(value: number): string;
  /** Moments to mark, such as deploys. */
  marks?: readonly { at: number; label: string }[];
  /** A stretch was dragged over: Unix ms. */
  onZoom?(since: number, until: number): void;
  heightPx?: number;
}

const Plot = lazy(() => import("./plot.tsx"));
const HEIGHT_PX = 190;

/** Values over time, as a picture or as a table. */
export function TimeChart(props: TimeChartProps) {
  const { title, data, heightPx = HEIGHT_PX } = props;
  const [isTable, setIsTable] = useState(false);
  const series = withoutEmpty(data.series);
  const shown = { ...data, series };
  return (
    <Paper
      withBorder
      p="sm"
      component="section"
      aria-label={title}
      style={{ minWidth: 0, overflow: "hidden" }}
    >
      <Stack gap={4}>
        <Group justify="space-between" wrap="nowrap">
          <Title order={3} size="sm">
            {title}
          </Title>
          <Group gap={4} wrap="nowrap">
            <CopyButton value={asText(shown)} label={`Copy ${title} as a table`} />
            <Tooltip label={isTable ? "As a picture" : "As a table"}>
              <ActionIcon
                variant={isTable ? "light" : "subtle"}
                color="gray"
                aria-label={`${title} as a table`}
                aria-pressed={isTable}
                onClick={() => setIsTable(!isTable)}
              >
                <TableIcon size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
          </Group>
        </Group>
        {series.length === 0 ? (
          <Text c="dimmed" size="sm" style={{ minHeight: heightPx }}>
            No data in this time.
          </Text>
        ) : isTable ? (
          <ChartTable {...props} data={shown} heightPx={heightPx} />
        ) : (
          <Suspense fallback={<Skeleton h={heightPx} />}>
            <Plot {...props} data={shown} heightPx={heightPx} />
          </Suspense>
        )}
      </Stack>
    </Paper>
  );
}
