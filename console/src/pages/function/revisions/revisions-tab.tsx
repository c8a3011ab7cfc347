import { Badge, Button, Code, Group, Skeleton, Stack, Table, Text } from "@mantine/core";
import type { RevisionView } from "@isola/api/functions";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import { useState } from "react";
import { useScope } from "../../../api/project-scope.ts";
import { bytes } from "../../../format/units.ts";
import { ErrorState } from "../../../parts/error-state.tsx";
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
      <Table.ScrollContainer minWidth={560}>
        <Table withTableBorder verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Revision</Table.Th>
              <Table.Th>Why</Table.Th>
              <Table.Th>When</Table.Th>
              <Table.Th>Code</Table.Th>
              <Table.Th>Driver</Table.Th>
              <Table.Th>
                <span style={{ position: "absolute", clip: "rect(0 0 0 0)" }}>Acts</span>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {revisions.map((revision) => (
              <Row
                key={revision.revision}
                revision={revision}
                isBusy={rollback.isPending}
                onRollback={() => rollback.mutate(revision.revision)}
                onShow={() => setShown(revision.revision)}
              />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
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

interface RowProps {
  revision: RevisionView;
  isBusy: boolean;
  onRollback(): void;
  onShow(): void;
}

function Row({ revision, isBusy, onRollback, onShow }: RowProps) {
  const { revision: number, isLive, reason, createdAt, codeDigest, codeBytes, driver } = revision;
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap="xs" wrap="nowrap">
          <Text size="sm" fw={600}>
            {number}
          </Text>
          {isLive && (
            <Badge size="sm" tt="none">
              live
            </Badge>
          )}
        </Group>
      </Table.Td>
      <Table.Td>{reasons[reason]}</Table.Td>
      <Table.Td>
        <Moment at={createdAt} />
      </Table.Td>
      <Table.Td>
        <Code>{codeDigest.slice(0, 12)}</Code> {bytes(codeBytes)}
      </Table.Td>
      <Table.Td>{driver}</Table.Td>
      <Table.Td>
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          <Button
            size="compact-sm"
            variant="default"
            onClick={onShow}
            aria-label={`Changes of revision ${number}`}
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
              aria-label={`Roll back to revision ${number}`}
            >
              Roll back
            </Button>
          )}
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}
