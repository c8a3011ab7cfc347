import {
  Anchor,
  Badge,
  Button,
  Code,
  Group,
  Skeleton,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import type { FunctionListQuery, FunctionView } from "@isola/api/functions";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, Search } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { queries } from "../../api/queries.ts";
import { mebibytes } from "../../format/units.ts";
import { ErrorState } from "../../parts/error-state.tsx";
import { Moment } from "../../parts/moment.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { type Column, VirtualTable } from "../../parts/virtual-table.tsx";

type Sort = NonNullable<FunctionListQuery["sort"]>;

const TYPING_MS = 200;

const columns: readonly Column<FunctionView>[] = [
  {
    id: "name",
    header: "Name",
    width: "minmax(140px, 2fr)",
    sort: "name",
    cell: ({ name }) => (
      <Anchor component={Link} to="/functions/$name" params={{ name } as never} fw={600} size="sm">
        {name}
      </Anchor>
    ),
  },
  {
    id: "route",
    header: "Address",
    width: "minmax(140px, 3fr)",
    isWideOnly: true,
    cell: ({ url }) => (
      <Anchor href={url} target="_blank" rel="noreferrer" size="sm">
        {url}
      </Anchor>
    ),
  },
  {
    id: "runtime",
    header: "Runtime",
    width: "100px",
    isWideOnly: true,
    cell: ({ runtime }) => runtime,
  },
  {
    id: "driver",
    header: "Driver",
    width: "90px",
    cell: ({ driver }) => (
      <Badge variant="default" size="sm" tt="none">
        {driver}
      </Badge>
    ),
  },
  {
    id: "memory",
    header: "Memory",
    width: "80px",
    isNumber: true,
    isWideOnly: true,
    cell: ({ memoryMiB }) => mebibytes(memoryMiB),
  },
  {
    id: "updated",
    header: "Last deploy",
    width: "100px",
    sort: "updatedAt",
    isNumber: true,
    cell: ({ updatedAt }) => <Moment at={updatedAt} />,
  },
];

export function FunctionsPage() {
  const { query = "" } = useSearch({ from: "/functions" });
  const [sort, setSort] = useState<Sort>("name");
  const list = useInfiniteQuery({
    ...queries.functions({ sort, ...(query !== "" && { query }) }),
    placeholderData: keepPreviousData,
  });
  const { fetchNextPage, isFetchingNextPage } = list;
  const onEndNear = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  const rows = list.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <>
      <PageHeader title="Functions" text="What is deployed">
        <SearchBox query={query} />
        <Button component={Link} to="/new" leftSection={<Plus size={16} aria-hidden />}>
          New function
        </Button>
      </PageHeader>
      {list.error !== null && <ErrorState error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <Skeleton h={200} />}
      {list.data !== undefined && rows.length === 0 && <NoFunctions query={query} />}
      {rows.length > 0 && (
        <VirtualTable
          label="Functions"
          columns={columns}
          rows={rows}
          keyOf={({ name }) => name}
          sort={sort}
          onSort={(next) => setSort(next as Sort)}
          hasMore={list.hasNextPage}
          onEndNear={onEndNear}
        />
      )}
    </>
  );
}

/** What is searched for stands in the address. */
function SearchBox({ query }: { query: string }) {
  const [text, setText] = useState(query);
  const [typed] = useDebouncedValue(text, TYPING_MS);
  const navigate = useNavigate({ from: "/functions" });
  useEffect(() => {
    void navigate({ search: typed === "" ? {} : { query: typed }, replace: true });
  }, [typed, navigate]);
  return (
    <TextInput
      aria-label="Search functions"
      placeholder="Search"
      leftSection={<Search size={16} aria-hidden />}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      maxLength={200}
    />
  );
}

function NoFunctions({ query }: { query: string }) {
  if (query !== "")
    return (
      <Text c="dimmed">
        No function has <Code>{query}</Code> in its name or description.
      </Text>
    );
  return (
    <Stack gap="xs">
      <Text>Nothing is deployed yet.</Text>
      <Group gap="xs">
        <Anchor component={Link} to="/new">
          Make one here
        </Anchor>
        <Text c="dimmed">or from the command line:</Text>
        <Code>npm run isola -- deploy examples/hello-js</Code>
      </Group>
    </Stack>
  );
}
