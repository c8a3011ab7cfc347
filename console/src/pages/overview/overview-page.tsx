import { SimpleGrid, Skeleton, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useScope } from "../../api/project-scope.ts";
import type { AskedMetrics } from "../../api/record-queries.ts";
import { TimeChart } from "../../charts/time-chart.tsx";
import { driverColors, outcomeColors, outcomeWords } from "../../format/outcomes.ts";
import { count, duration, mebibytes } from "../../format/units.ts";
import { percentileColors } from "../../metrics/colors.ts";
import { linesOf, partsOf, timesOf } from "../../metrics/pick.ts";
import { ErrorState } from "../../parts/error-state.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { RangeControl } from "../../parts/range-control.tsx";
import { CallTiles } from "../../parts/call-tiles.tsx";
import { AttentionList } from "./attention-list.tsx";
import { DriverHealth } from "./driver-health.tsx";
import { RecentFailures } from "./recent-failures.tsx";

const percentiles = ["p50", "p95", "p99"] as const;

/** Is everything well? */
export function OverviewPage() {
  const range = useSearch({ from: "/" });
  const navigate = useNavigate({ from: "/" });
  const { queries } = useScope();
  const ask = (query: Omit<AskedMetrics, "range">) => queries.metrics({ range, ...query });
  const all = useQuery(
    ask({
      metric: [
        "invocations",
        "errors",
        "coldStarts",
        "duration",
        "sandboxes",
        "memoryReserved",
        "memoryBudget",
      ],
      compare: "previous",
    }),
  );
  const outcomes = useQuery(ask({ metric: ["invocations"], groupBy: ["outcome"] }));
  const drivers = useQuery(ask({ metric: ["sandboxes"], groupBy: ["driver"] }));
  const functions = useQuery(
    ask({
      metric: ["errors", "invocations", "coldStarts", "duration"],
      groupBy: ["project", "function"],
      limit: 10,
    }),
  );
  const error = all.error ?? outcomes.error ?? drivers.error ?? functions.error;
  const isShown =
    all.data !== undefined && outcomes.data !== undefined && drivers.data !== undefined;
  const onZoom = (since: number, until: number) =>
    void navigate({
      search: (before) => ({ ...before, since: Math.floor(since), until: Math.ceil(until) }),
    });
  return (
    <>
      <PageHeader title="Overview" text="Is everything well?">
        <RangeControl range={range} onChange={(next) => void navigate({ search: next })} />
      </PageHeader>
      {error !== null && !isShown && (
        <ErrorState error={error} onRetry={() => void all.refetch()} />
      )}
      {all.data === undefined || outcomes.data === undefined || drivers.data === undefined ? (
        error === null && <Skeleton h={400} />
      ) : (
        <Stack>
          <CallTiles view={all.data} />
          <DriverHealth />
          <SimpleGrid cols={{ base: 1, lg: 2 }}>
            <TimeChart
              title="Invocations by outcome"
              kind="stack"
              format={count}
              onZoom={onZoom}
              data={{
                times: timesOf(all.data),
                series: partsOf(outcomes.data, {
                  ...{ label: "outcome", metric: "invocations", statistic: "sum" },
                  ...{ names: Object.keys(outcomeColors), colors: outcomeColors },
                  words: outcomeWords,
                }),
              }}
            />
            <TimeChart
              title="Duration"
              kind="lines"
              format={duration}
              onZoom={onZoom}
              data={{
                times: timesOf(all.data),
                series: linesOf(
                  all.data,
                  percentiles.map((statistic) => ({
                    ...{ name: statistic, color: percentileColors[statistic] },
                    ...{ metric: "duration", statistic, hasPrevious: statistic === "p95" },
                  })),
                ),
              }}
            />
            <TimeChart
              title="Running sandboxes by driver"
              kind="stack"
              format={count}
              onZoom={onZoom}
              data={{
                times: timesOf(drivers.data),
                series: partsOf(drivers.data, {
                  ...{ label: "driver", metric: "sandboxes", statistic: "mean" },
                  ...{ names: Object.keys(driverColors), colors: driverColors },
                }),
              }}
            />
            <TimeChart
              title="Memory reserved of the budget"
              kind="lines"
              format={mebibytes}
              onZoom={onZoom}
              data={{
                times: timesOf(all.data),
                series: linesOf(all.data, [
                  {
                    name: "reserved",
                    color: "#4dabf7",
                    metric: "memoryReserved",
                    statistic: "max",
                  },
                  { name: "budget", color: "#868e96", metric: "memoryBudget", statistic: "max" },
                ]),
              }}
            />
          </SimpleGrid>
          {functions.data !== undefined && <AttentionList view={functions.data} />}
          <RecentFailures />
        </Stack>
      )}
    </>
  );
}
