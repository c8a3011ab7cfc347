import { Badge, Button, Code, Group, Skeleton, Stack, Text, VisuallyHidden } from "@mantine/core";
import type { RevisionView } from "@isola/api/functions";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import { useState } from "react";
import { useScope } from "../../../api/project-scope.ts";
import { bytes } from "../../../format/units.ts";
import { DriverName } from "../../../parts/driver-name.tsx";
import { ErrorState } from "../../../parts/error-state.tsx";
import { FactTable } from "../../../parts/fact-table.tsx";
import { Moment } from "../../../parts/moment.tsx";
import { RevisionDifference } from "./revision-difference.tsx";

const reasons = { create: "created", code: "new code", settings: "new settings" };

/** Every deploy, the way back to each, and what was changed by it. */
export function RevisionsTab() {
  const { name } = useParams({ from: "/functions/$name" });
  const { api, queries } = useScope();
  const list = useInfiniteQuery(queries.revisions(name));
  const [shown, setShown] = useState<number | null>(null);
  const client = useQueryClient();
  const rollback = useMutation({
    mutationFn: (revision: number) => api.rollback(name, { revision }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["functions"] }),
  });
  if (list.error !== null && list.data === undefined)
    return <ErrorState error={list.error} onRetry={() => void list.refetch()} />;
  if (list.data === undefined) return <Skeleton h={200} />;
  const revisions = list.data.pages.flatMap(({ items }) => items);
  return (
    <Stack>
      {rollback.isError && <ErrorState error={rollback.error} />}
      <FactTable
        title="Revisions"
        isTitleHidden
        rows={revisions}
        keyOf={({ revision }) => String(revision)}
        empty="There is no revision."
        minWidthPx={560}
        columns={[
          { head: "Revision", cell: Name },
          { head: "Why", cell: ({ reason }) => reasons[reason] },
          { head: "When", cell: ({ createdAt }) => <Moment at={createdAt} /> },
          {
            head: "Code",
            cell: ({ codeDigest, codeBytes }) => (
              <Text size="sm" span style={{ whiteSpace: "nowrap" }}>
                <Code>{codeDigest.slice(0, 12)}</Code> {bytes(codeBytes)}
              </Text>
            ),
          },
          { head: "Driver", cell: ({ driver }) => <DriverName name={driver} /> },
          {
            key: "acts",
            head: <VisuallyHidden>Acts</VisuallyHidden>,
            cell: (revision) => (
              <Acts
                revision={revision}
                isBusy={rollback.isPending}
                onRollback={() => rollback.mutate(revision.revision)}
                onShow={() => setShown(revision.revision)}
              />
            ),
          },
        ]}
      />
      {list.hasNextPage && (
        <Group>
          <Button
            variant="default"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Older ones
          </Button>
        </Group>
      )}
      {shown !== null && <RevisionDifference name={name} revisions={revisions} revision={shown} />}
    </Stack>
  );
}

function Name({ revision, isLive }: RevisionView) {
  return (
    <Group gap="xs" wrap="nowrap">
      <Text size="sm" fw={600}>
        {revision}
      </Text>
      {isLive && (
        <Badge size="sm" tt="none">
          live
        </Badge>
      )}
    </Group>
  );
}

interface ActsProps {
  revision: RevisionView;
  isBusy: boolean;
  onRollback(): void;
  onShow(): void;
}

function Acts({ revision: { revision, isLive }, isBusy, onRollback, onShow }: ActsProps) {
  return (
    <Group gap="xs" justify="flex-end" wrap="nowrap">
      <Button
        size="compact-sm"
        variant="default"
        onClick={onShow}
        aria-label={`Changes of revision ${revision}`}
      >
        Changes
      </Button>
      {!isLive && (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<RotateCcw size={14} aria-hidden />}
          disabled={isBusy}
          onClick={onRollback}
          aria-label={`Roll back to revision ${revision}`}
        >
          Roll back
        </Button>
      )}
    </Group>
  );
}
