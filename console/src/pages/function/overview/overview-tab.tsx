import { SimpleGrid, Skeleton, Stack } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useScope } from "../../../api/project-scope.ts";
import { TimeChart } from "../../../charts/time-chart.tsx";
import { outcomeColors, outcomeWords } from "../../../format/outcomes.ts";
import { bytes, count, duration, mebibytes } from "../../../format/units.ts";
import { percentileColors, startKindColors, stateColors } from "../../../metrics/colors.ts";
import { detailsOf, linesOf, partsOf, timesOf } from "../../../metrics/pick.ts";
import { ErrorState } from "../../../parts/error-state.tsx";
import { RangeControl } from "../../../parts/range-control.tsx";
import { CallTiles } from "../../../parts/call-tiles.tsx";

const percentiles = ["p50", "p95", "p99"] as const;

/** How is it doing? */
export function OverviewTab() {
  const { name } = useParams({ from: "/functions/$name/overview" });
  const range = useSearch({ from: "/functions/$name/overview" });
  const navigate = useNavigate({ from: "/functions/$name/overview" });
  const { home, queries } = useScope();
  const revisions = useInfiniteQuery(queries.revisions(name));
  const of = { project: home, function: [name] };
  const one = useQuery(
    queries.metrics({
      ...of,
      range,
      metric: [
        "invocations",
        "errors",
        "coldStarts",
        "duration",
        "running",
        "queued",
        "sandboxes",
        "memoryUsed",
        "sandboxCpu",
        "responseBytes",
        "gbSeconds",
      ],
      compare: "previous",
    }),
  );
  const by = (label: "outcome" | "startKind") =>
    queries.metrics({ ...of, range, metric: ["invocations"], groupBy: [label] });
  const outcomes = useQuery(by("outcome"));
  const kinds = useQuery(by("startKind"));
  if (one.data === undefined || outcomes.data === undefined || kinds.data === undefined) {
    const error = one.error ?? outcomes.error ?? kinds.error;
    if (error === null) return <Skeleton h={400} />;
    return <ErrorState error={error} onRetry={() => void one.refetch()} />;
  }
  const all = one.data;
  const times = timesOf(all);
  const marks = (revisions.data?.pages ?? []).flatMap(({ items }) =>
    items.map(({ createdAt, revision }) => ({
      at: Date.parse(createdAt),
      label: `revision ${revision}`,
    })),
  );
  const onZoom = (since: number, until: number) =>
    void navigate({
      search: (before) => ({ ...before, since: Math.floor(since), until: Math.ceil(until) }),
    });
  const common = { marks, onZoom } as const;
  const parts = { label: "outcome", metric: "invocations", statistic: "sum" };
  const byKind = {
    ...parts,
    label: "startKind",
    names: Object.keys(startKindColors),
    colors: startKindColors,
  };
  return (
    <Stack>
      <RangeControl range={range} onChange={(next) => void navigate({ search: next })} />
      <CallTiles view={all} />
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <TimeChart
          {...common}
          title="Invocations by outcome"
          kind="stack"
          format={count}
          data={{
            times,
            series: partsOf(outcomes.data, {
              ...parts,
              names: Object.keys(outcomeColors),
              words: outcomeWords,
              colors: outcomeColors,
            }),
          }}
        />
        <TimeChart
          {...common}
          title="Duration"
          kind="lines"
          format={duration}
          data={{
            times,
            series: linesOf(
              all,
              percentiles.map((statistic) => ({
                name: statistic,
                color: percentileColors[statistic],
                metric: "duration",
                statistic,
                hasPrevious: statistic === "p95",
              })),
            ),
          }}
        />
        <TimeChart
          {...common}
          title="Start kinds"
          kind="stack"
          format={count}
          data={{ times, series: partsOf(kinds.data, byKind) }}
        />
        <TimeChart
          {...common}
          title="Sandboxes by state"
          kind="stack"
          format={count}
          data={{
            times,
            series: detailsOf(all, { metric: "sandboxes", statistic: "mean", colors: stateColors }),
          }}
        />
        <TimeChart
          {...common}
          title="Concurrency"
          kind="lines"
          format={count}
          data={{
            times,
            series: linesOf(all, [
              { name: "running", color: "#1a9c89", metric: "running", statistic: "max" },
              { name: "queued", color: "#e8590c", metric: "queued", statistic: "max" },
            ]),
          }}
        />
        <TimeChart
          {...common}
          title="Memory in use"
          kind="lines"
          format={mebibytes}
          data={{
            times,
            series: linesOf(all, [
              { name: "memory", color: "#4dabf7", metric: "memoryUsed", statistic: "max" },
            ]),
          }}
        />
        <TimeChart
          {...common}
          title="CPU time"
          kind="lines"
          format={duration}
          data={{
            times,
            series: linesOf(all, [
              { name: "CPU", color: "#9c36b5", metric: "sandboxCpu", statistic: "sum" },
            ]),
          }}
        />
        <TimeChart
          {...common}
          title="Sent"
          kind="lines"
          format={bytes}
          data={{
            times,
            series: linesOf(all, [
              { name: "responses", color: "#228be6", metric: "responseBytes", statistic: "sum" },
            ]),
          }}
        />
      </SimpleGrid>
    </Stack>
  );
}
