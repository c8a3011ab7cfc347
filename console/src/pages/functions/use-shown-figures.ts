import type { FunctionView } from "@isola/api/functions";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { useScope } from "../../api/project-scope.ts";
import { type CallFigures, callFiguresOf } from "../../metrics/call-figures.ts";
import { blocksOf } from "./shown-blocks.ts";

/** Who scrolls by asks for nothing. */
const SETTLE_MS = 150;

/** The last day of the functions that are seen, in one request for all of them. */
export function useShownFigures(rows: readonly FunctionView[]) {
  const { queries } = useScope();
  const [seen, setSeen] = useState(() => blocksOf({ first: 0, last: 0 }));
  const [settled] = useDebouncedValue(seen, SETTLE_MS);
  const { from, until } = settled;
  const names = useMemo(
    () => [...new Set(rows.slice(from, until).map(({ name }) => name))].toSorted(),
    [rows, from, until],
  );
  const metrics = useQuery({
    ...queries.metrics({
      range: { range: "day" },
      stepMs: HOUR_MS,
      metric: ["invocations", "errors", "duration"],
      groupBy: ["project", "function"],
      function: names,
      limit: Math.max(1, names.length),
    }),
    enabled: names.length > 0,
  });
  const { data } = metrics;
  const figuresOf = useMemo(() => {
    const known = new Map<string, CallFigures>();
    for (const group of data?.groups ?? []) {
      const figures = callFiguresOf(group);
      known.set(keyOf(figures), figures);
    }
    const asked = new Set(names);
    return (fn: FunctionView): CallFigures | null | undefined =>
      known.get(keyOf(fn)) ?? (data !== undefined && asked.has(fn.name) ? null : undefined);
  }, [data, names]);
  const onSeen = useCallback((first: number, last: number) => {
    const next = blocksOf({ first, last });
    setSeen((before) => (before.from === next.from && before.until === next.until ? before : next));
  }, []);
  return { figuresOf, onSeen };
}

const HOUR_MS = 3_600_000;

function keyOf({ project, name }: { project: string; name: string }): string {
  return `${project} ${name}`;
}
