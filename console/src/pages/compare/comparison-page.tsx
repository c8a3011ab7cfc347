import {
  Alert,
  Anchor,
  Button,
  Group,
  Progress,
  Skeleton,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useScope } from "../../api/project-scope.ts";
import { mebibytes } from "../../format/units.ts";
import { ErrorState } from "../../parts/error-state.tsx";
import { Moment } from "../../parts/moment.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { FigureTables } from "./figure-tables.tsx";

/** One comparison: how far it is, or what it found. */
export function ComparisonPage() {
  const { id } = useParams({ from: "/compare/$id" });
  const { api, queries } = useScope();
  const one = useQuery(queries.comparison(id));
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => api.endComparison(id),
    onSuccess: () => client.invalidateQueries({ queryKey: ["comparisons"] }),
  });
  if (one.error !== null)
    return <ErrorState error={one.error} onRetry={() => void one.refetch()} />;
  if (one.data === undefined) return <Skeleton h={400} />;
  const { state, machine, parameters, subject } = one.data;
  const exportUrl = (format: string) =>
    `/api/v1/comparisons/${encodeURIComponent(id)}/export?format=${format}`;
  return (
    <>
      <PageHeader
        title={`${one.data.function} compared`}
        text={
          <>
            <Moment at={one.data.startedAt} />, revision {one.data.revision}, {subject.runtime},{" "}
            {mebibytes(subject.memoryMiB)}; {machine.cores} cores of {machine.cpuModel},{" "}
            {machine.kernel}
          </>
        }
      >
        {state === "running" ? (
          <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel
          </Button>
        ) : (
          <Group gap="sm">
            <Anchor href={exportUrl("csv")} download>
              CSV
            </Anchor>
            <Anchor href={exportUrl("markdown")} download>
              Markdown
            </Anchor>
            <Anchor href={`/api/v1/comparisons/${encodeURIComponent(id)}`} download={`${id}.json`}>
              JSON
            </Anchor>
          </Group>
        )}
      </PageHeader>
      <Stack>
        {state === "running" && (
          <Stack gap={4} role="status">
            <Progress value={one.data.percent} aria-label="How far it is" />
            <Text size="sm">
              {one.data.percent} %: {one.data.phase ?? "beginning"}
            </Text>
          </Stack>
        )}
        {(state === "cancelled" || state === "failed") && (
          <Alert
            color={state === "failed" ? "red" : "gray"}
            title={state === "failed" ? "It failed" : "It was cancelled"}
          >
            {one.data.message ?? "What had been measured until then is kept."}
          </Alert>
        )}
        {one.data.drivers
          .filter(({ reason }) => reason !== null)
          .map(({ driver, state: how, reason }) => (
            <Alert key={driver} color="yellow" title={`${driver}: ${how}`}>
              {reason}
            </Alert>
          ))}
        <FigureTables drivers={one.data.drivers} />
        <Title order={2}>How it was measured</Title>
        <Text size="sm">
          {parameters.repeats} rounds on each driver in turn; {parameters.coldStarts} first calls of
          each kind in a round; warm measurements of {parameters.durationMs} ms,{" "}
          {parameters.connections} calls at once under load; {parameters.starts} sandboxes started
          at once. Load of the machine before: {machine.loadBefore.toFixed(2)}; calls of others
          meanwhile: {one.data.otherCalls}. Median, and in brackets the least and the most.
        </Text>
      </Stack>
    </>
  );
}
