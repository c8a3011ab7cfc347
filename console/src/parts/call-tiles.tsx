import { SimpleGrid } from "@mantine/core";
import type { MetricsView } from "@isola/api/metrics";
import { change } from "../format/change.ts";
import { count, duration, percent } from "../format/units.ts";
import { valuesOf } from "../metrics/pick.ts";
import { Tile } from "./tile.tsx";

/** The whole time in figures, each against the time before. */
export function CallTiles({ view }: { view: MetricsView }) {
  const group = view.groups[0];
  const of = (metric: string, statistic: string) => {
    const values = valuesOf(group, metric, statistic);
    return { now: values?.whole ?? null, before: values?.previousWhole ?? null };
  };
  const calls = of("invocations", "sum");
  const errors = of("errors", "sum");
  const cold = of("coldStarts", "sum");
  const share = (part: number | null, whole: number | null) =>
    part === null || whole === null || whole === 0 ? null : part / whole;
  const p50 = of("duration", "p50");
  const p95 = of("duration", "p95");
  const p99 = of("duration", "p99");
  const tiles = [
    ["Invocations", calls, count],
    [
      "Errors",
      { now: share(errors.now, calls.now), before: share(errors.before, calls.before) },
      percent,
    ],
    [
      "Cold starts",
      { now: share(cold.now, calls.now), before: share(cold.before, calls.before) },
      percent,
    ],
    ["p50", p50, duration],
    ["p95", p95, duration],
    ["p99", p99, duration],
  ] as const;
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm">
      {tiles.map(([label, { now, before }, format]) => (
        <Tile
          key={label}
          label={label}
          value={now === null ? "no data" : format(now)}
          note={
            before === null
              ? "nothing to compare with"
              : `${format(before)} before${change(now, before)}`
          }
        />
      ))}
    </SimpleGrid>
  );
}
