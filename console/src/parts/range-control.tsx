import { Button, Group, SegmentedControl } from "@mantine/core";
import { type RangeName, type TimeRange, ranges } from "../metrics/range.ts";

export interface RangeControlProps {
  range: TimeRange;
  onChange(range: TimeRange): void;
}

/** The last hour, day, week or month; or the stretch that was zoomed into. */
export function RangeControl({ range, onChange }: RangeControlProps) {
  const isZoomed = range.since !== undefined;
  return (
    <Group gap="xs">
      {isZoomed && (
        <Button
          size="xs"
          variant="light"
          onClick={() => onChange(range.range === undefined ? {} : { range: range.range })}
        >
          Zoom out
        </Button>
      )}
      <SegmentedControl
        size="xs"
        aria-label="Time"
        data={ranges.map((name) => ({ value: name, label: name }))}
        value={range.range ?? "hour"}
        onChange={(name) => onChange({ range: name as RangeName })}
      />
    </Group>
  );
}
