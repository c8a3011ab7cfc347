import { Anchor, Button, Code, Group, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import type { FunctionView } from "@isola/api/functions";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, Search } from "lucide-react";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useScope } from "../../api/project-scope.ts";
import { ErrorState } from "../../parts/error-state.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { VirtualTable } from "../../parts/virtual-table.tsx";
import { functionColumns } from "./function-columns.tsx";
import type { FunctionSort } from "./function-search.ts";
import { useShownFigures } from "./use-shown-figures.ts";

const TYPING_MS = 200;

/** What is deployed, and how it is doing? */
export function FunctionsPage() {
  const { query = "", sort = "name" } = useSearch({ from: "/functions" });
  const navigate = useNavigate({ from: "/functions" });
  const scope = useScope();
  const list = useInfiniteQuery(scope.queries.functions({ sort, ...(query !== "" && { query }) }));
  const { data, error, fetchNextPage, isFetchingNextPage } = list;
  const onEndNear = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  const rows = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data]);
  const { figuresOf, onSeen } = useShownFigures(rows);
  const columns = useMemo(() => functionColumns(figuresOf, scope), [figuresOf, scope]);
  const onSort = (next: string) =>
    void navigate({
      search: (before) => ({
        ...before,
        sort: next === "name" ? undefined : (next as FunctionSort),
      }),
      replace: true,
    });
  return (
    <>
      <PageHeader title="Functions" text="What is deployed, and how is it doing?">
        <SearchBox query={query} />
        <Button component={Link} to="/new" leftSection={<Plus size={16} aria-hidden />}>
          New function
        </Button>
      </PageHeader>
      {error !== null && data === undefined && (
        <ErrorState error={error} onRetry={() => void list.refetch()} />
      )}
      {list.isPending && error === null && <Skeleton h={200} />}
      {data !== undefined && rows.length === 0 && <NoFunctions query={query} />}
      {rows.length > 0 && (
        <VirtualTable
          key={`${sort} ${query}`}
          label="Functions"
          columns={columns}
          rows={rows}
          keyOf={keyOf}
          sort={sort}
          onSort={onSort}
          hasMore={list.hasNextPage}
          onEndNear={onEndNear}
          onSeen={onSeen}
        />
      )}
    </>
  );
}

function keyOf({ project, name }: FunctionView): string {
  return `${project} ${name}`;
}

/** What is searched for stands in the address. */
function SearchBox({ query }: { query: string }) {
  const [text, setText] = useState(query);
  const [typed] = useDebouncedValue(text, TYPING_MS);
  const navigate = useNavigate({ from: "/functions" });
  useEffect(() => {
    void navigate({
      search: (before) => ({ ...before, query: typed === "" ? undefined : typed }),
      replace: true,
    });
  }, [typed, navigate]);
  return (
    <TextInput
      aria-label="Search functions"
      placeholder="Name or description"
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
