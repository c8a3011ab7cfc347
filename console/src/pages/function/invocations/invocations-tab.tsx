import { Drawer, Group, NativeSelect, Skeleton, Stack, Text } from "@mantine/core";
import type { InvocationView } from "@isola/api/invocations";
import { outcomes } from "@isola/api/limits";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { useScope } from "../../../api/project-scope.ts";
import { outcomeWords } from "../../../format/outcomes.ts";
import { bytes, duration } from "../../../format/units.ts";
import { visibleText } from "../../../format/visible-text.ts";
import { ErrorState } from "../../../parts/error-state.tsx";
import { Moment } from "../../../parts/moment.tsx";
import { OutcomeBadge } from "../../../parts/outcome-badge.tsx";
import { type Column, VirtualTable } from "../../../parts/virtual-table.tsx";
import { InvocationDetail } from "./invocation-detail.tsx";

/** The calls of the function, one by one. */
export function InvocationsTab() {
  const { name } = useParams({ from: "/functions/$name/invocations" });
  const { outcome, id } = useSearch({ from: "/functions/$name/invocations" });
  const navigate = useNavigate({ from: "/functions/$name/invocations" });
  const { queries } = useScope();
  const list = useInfiniteQuery(
    queries.invocations(name, outcome === undefined ? {} : { outcome: [outcome] }),
  );
  const { fetchNextPage, isFetchingNextPage } = list;
  const onEndNear = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  const show = (shown: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, id: shown }) });
  const rows = list.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Stack gap="sm">
      <Group>
        <NativeSelect
          label="Outcome"
          data={[
            { value: "", label: "all" },
            ...outcomes.map((each) => ({ value: each, label: outcomeWords[each] ?? each })),
          ]}
          value={outcome ?? ""}
          onChange={(event) => {
            const chosen = outcomes.find((each) => each === event.currentTarget.value);
            void navigate({ search: chosen === undefined ? {} : { outcome: chosen } });
          }}
        />
      </Group>
      {list.error !== null && list.data === undefined && (
        <ErrorState error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isPending && <Skeleton h={200} />}
      {list.data !== undefined && rows.length === 0 && (
        <Text c="dimmed">
          No invocation is kept{outcome === undefined ? "" : " with this outcome"}.
        </Text>
      )}
      {rows.length > 0 && (
        <VirtualTable
          label="Invocations"
          columns={columnsWith(show)}
          rows={rows}
          keyOf={(row) => row.id}
          hasMore={list.hasNextPage}
          onEndNear={onEndNear}
        />
      )}
      <Drawer
        opened={id !== undefined}
        onClose={() => show(undefined)}
        position="right"
        size="xl"
        title="Invocation"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {id !== undefined && <InvocationDetail id={id} />}
      </Drawer>
    </Stack>
  );
}

function columnsWith(show: (id: string) => void): readonly Column<InvocationView>[] {
  return [
    {
      id: "at",
      header: "When",
      width: "96px",
      cell: ({ id, startedAt }) => (
        <button type="button" className="link" title={id} onClick={() => show(id)}>
          <Moment at={startedAt} />
        </button>
      ),
    },
    {
      id: "outcome",
      header: "Outcome",
      width: "130px",
      cell: ({ outcome }) => <OutcomeBadge outcome={outcome} />,
    },
    {
      id: "status",
      header: "Status",
      width: "60px",
      isNumber: true,
      isWideOnly: true,
      cell: ({ status }) => (status === 0 ? "none" : status),
    },
    {
      id: "request",
      header: "Request",
      width: "minmax(120px, 2fr)",
      isWideOnly: true,
      cell: ({ method, path }) => visibleText(`${method} ${path}`),
    },
    {
      id: "start",
      header: "Start",
      width: "90px",
      isWideOnly: true,
      cell: ({ startKind }) => startKind ?? "none",
    },
    {
      id: "total",
      header: "Duration",
      width: "72px",
      isNumber: true,
      cell: ({ totalMs }) => duration(totalMs),
    },
    {
      id: "bytes",
      header: "Sent",
      width: "90px",
      isNumber: true,
      isWideOnly: true,
      cell: ({ responseBytes }) => bytes(responseBytes),
    },
    {
      id: "revision",
      header: "Revision",
      width: "70px",
      isNumber: true,
      isWideOnly: true,
      cell: ({ revision }) => revision,
    },
  ];
}
