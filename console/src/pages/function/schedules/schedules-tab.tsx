import {
  Anchor,
  Button,
  Code,
  Group,
  Paper,
  Skeleton,
  Stack,
  Text,
  VisuallyHidden,
} from "@mantine/core";
import type { ScheduleView } from "@isola/api/schedules";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Play } from "lucide-react";
import type { ReactNode } from "react";
import { useScope } from "../../../api/project-scope.ts";
import { DotBadge } from "../../../parts/dot-badge.tsx";
import { ErrorState } from "../../../parts/error-state.tsx";
import { FactTable } from "../../../parts/fact-table.tsx";
import { Moment } from "../../../parts/moment.tsx";
import { OutcomeBadge } from "../../../parts/outcome-badge.tsx";
import { InvokedView } from "../try/invoked-view.tsx";

/** When the server calls the function by itself, and how that went. */
export function SchedulesTab() {
  const { name } = useParams({ from: "/functions/$name" });
  const { api, queries } = useScope();
  const list = useQuery(queries.schedules(name));
  const client = useQueryClient();
  const run = useMutation({
    mutationFn: (schedule: string) => api.runSchedule(name, schedule),
    onSettled: () => client.invalidateQueries({ queryKey: ["invocations"] }),
  });
  if (list.error !== null && list.data === undefined)
    return <ErrorState error={list.error} onRetry={() => void list.refetch()} />;
  if (list.data === undefined) return <Skeleton h={200} />;
  return (
    <Stack>
      {run.isError && <ErrorState error={run.error} />}
      <FactTable
        title="Schedules"
        isTitleHidden
        rows={list.data.items}
        keyOf={(schedule) => schedule.name}
        empty={<NoSchedules name={name} />}
        minWidthPx={680}
        columns={[
          { head: "Name", isRowHead: true, cell: (schedule) => schedule.name },
          { head: "When", isProse: true, cell: Times },
          { head: "Next run", cell: NextRun },
          { head: "Last run", cell: ({ lastRun }) => <LastRun name={name} run={lastRun} /> },
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
        {run.isSuccess && (
          <Paper withBorder p="md" component="section" aria-label={`The run of ${run.variables}`}>
            <InvokedView invoked={run.data} />
          </Paper>
        )}
      </div>
    </Stack>
  );
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

function InvocationLink({ name, id, children }: { name: string; id: string; children: ReactNode }) {
  return (
    <Anchor
      component={Link}
      to="/functions/$name/invocations"
      params={{ name } as never}
      search={{ id } as never}
      inherit
    >
      {children}
    </Anchor>
  );
}
