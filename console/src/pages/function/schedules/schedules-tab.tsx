import {
  Anchor,
  Button,
  Code,
  Group,
  Paper,
  Skeleton,
  Stack,
  Text,
  Title,
  VisuallyHidden,
} from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { ApiError } from "@isola/api/api-error";
import type { ScheduleView } from "@isola/api/schedules";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { useScope } from "../../../api/project-scope.ts";
import { DotBadge } from "../../../parts/dot-badge.tsx";
import { ErrorState } from "../../../parts/error-state.tsx";
import { type FactColumn, FactTable } from "../../../parts/fact-table.tsx";
import { InvocationLink } from "../../../parts/invocation-link.tsx";
import { Moment } from "../../../parts/moment.tsx";
import { OutcomeBadge } from "../../../parts/outcome-badge.tsx";
import { InvokedView } from "../try/invoked-view.tsx";

/** The columns do not stand side by side where there is less. */
const NARROW = "(max-width: 62em)";

/** When the server calls the function by itself, and how that went. */
export function SchedulesTab() {
  const { name } = useParams({ from: "/functions/$name" });
  const { api, queries } = useScope();
  const list = useQuery(queries.schedules(name));
  const isNarrow = useMediaQuery(NARROW, false, { getInitialValueInEffect: false });
  const client = useQueryClient();
  const run = useMutation({
    mutationFn: (schedule: string) => api.runSchedule(name, schedule),
    onSettled: () => client.invalidateQueries({ queryKey: ["invocations"] }),
  });
  if (list.error !== null && (list.data === undefined || isGone(list.error)))
    return <ErrorState error={list.error} onRetry={() => void list.refetch()} />;
  if (list.data === undefined) return <Skeleton h={200} />;
  return (
    <Stack>
      <FactTable
        title="Schedules"
        isTitleHidden
        rows={list.data.items}
        keyOf={(schedule) => schedule.name}
        empty={<NoSchedules name={name} />}
        minWidthPx={isNarrow ? 0 : 680}
        columns={[
          ...(isNarrow ? narrowColumns(name) : wideColumns(name)),
          {
            key: "acts",
            head: <VisuallyHidden>Acts</VisuallyHidden>,
            cell: (schedule) => (
              <Group justify="flex-end">
                <Button
                  size="compact-sm"
                  variant="default"
                  leftSection={<Play size={14} aria-hidden />}
                  loading={run.isPending && run.variables === schedule.name}
                  disabled={run.isPending}
                  onClick={() => run.mutate(schedule.name)}
                  aria-label={`Run now: ${schedule.name}`}
                >
                  Run now
                </Button>
              </Group>
            ),
          },
        ]}
      />
      <div aria-live="polite">
        {(run.isSuccess || run.isError) && (
          <Paper
            key={run.submittedAt}
            ref={bringIntoView}
            withBorder
            p="md"
            component="section"
            aria-label={`The run of ${run.variables}`}
          >
            <Stack>
              <Title order={2}>The run of {run.variables}</Title>
              {run.isSuccess ? (
                <InvokedView name={name} invoked={run.data} />
              ) : (
                <ErrorState error={run.error} />
              )}
            </Stack>
          </Paper>
        )}
      </div>
    </Stack>
  );
}

/** The function was deleted elsewhere: what is known of it holds no longer. */
function isGone(error: Error): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** Of what has just come, once: below a long list it would not be seen. */
function bringIntoView(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: "nearest" });
}

function wideColumns(name: string): FactColumn<ScheduleView>[] {
  return [
    { head: "Name", isRowHead: true, cell: (schedule) => schedule.name },
    { head: "When", isProse: true, cell: Times },
    { head: "Next run", cell: NextRun },
    { head: "Last run", cell: ({ lastRun }) => <LastRun name={name} run={lastRun} /> },
  ];
}

/** All of them below each other, so that nothing has to be scrolled sideways. */
function narrowColumns(name: string): FactColumn<ScheduleView>[] {
  const cell = (schedule: ScheduleView) => (
    <Stack gap={4}>
      <Text size="sm" fw={600}>
        {schedule.name}
      </Text>
      <div>
        <Times {...schedule} />
      </div>
      <Group gap="0 8px">
        Next run: <NextRun {...schedule} />
      </Group>
      <Group gap="0 8px">
        Last run: <LastRun name={name} run={schedule.lastRun} />
      </Group>
    </Stack>
  );
  return [{ head: "Schedule", isProse: true, cell }];
}

function NoSchedules({ name }: { name: string }) {
  return (
    <>
      The server calls a function at the times of its schedules, and this one has none. Add one in
      its{" "}
      <Anchor component={Link} to="/functions/$name/settings" params={{ name } as never} inherit>
        settings
      </Anchor>
      , or as <Code>schedules</Code> in isola.yaml.
    </>
  );
}

function Times({ description, cron, timeZone }: ScheduleView) {
  return (
    <>
      {description}
      <Text size="xs" c="dimmed">
        <Code>{cron}</Code> {timeZone}
      </Text>
    </>
  );
}

function NextRun({ enabled, nextRunAt }: ScheduleView) {
  if (!enabled) return <DotBadge color="#868e96">disabled</DotBadge>;
  return nextRunAt === null ? "never" : <Moment at={nextRunAt} isAhead />;
}

function LastRun({ name, run }: { name: string; run: ScheduleView["lastRun"] }) {
  if (run === null) return "never";
  const { startedAt, invocationId, outcome } = run;
  return (
    <Group gap="xs" wrap="nowrap">
      {outcome === null ? (
        <DotBadge color="#1a9c89">running</DotBadge>
      ) : (
        <OutcomeBadge outcome={outcome} />
      )}
      <InvocationLink name={name} id={invocationId}>
        <Moment at={startedAt} />
      </InvocationLink>
    </Group>
  );
}
