import { Autocomplete, Button, Checkbox, Group, Paper, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Scale } from "lucide-react";
import { useState } from "react";
import { useScope } from "../../api/project-scope.ts";
import { queries as common } from "../../api/queries.ts";
import { ErrorState } from "../../parts/error-state.tsx";

type Asked = Parameters<ReturnType<typeof useScope>["api"]["startComparison"]>[0];

const TYPING_MS = 200;
/** Less exact, and through in a minute. */
const quick = { durationMs: 200, coldStarts: 2, starts: 2, mixes: [] };

/** What to compare; it runs in the background, and its page shows how far it is. */
export function StartComparison() {
  const { api, home, queries } = useScope();
  const [name, setName] = useState<string | null>(null);
  const [typed] = useDebouncedValue(name ?? "", TYPING_MS);
  const functions = useInfiniteQuery(
    queries.functionsOf(home, { sort: "name", ...(typed !== "" && { query: typed }) }),
  );
  const drivers = useQuery(common.drivers());
  const [chosen, setChosen] = useState<string[] | null>(null);
  const [isQuick, setIsQuick] = useState(false);
  const client = useQueryClient();
  const navigate = useNavigate();
  const start = useMutation({
    mutationFn: (body: Asked) => api.startComparison(body),
    onSuccess: async ({ id }) => {
      await client.invalidateQueries({ queryKey: ["comparisons"] });
      await navigate({ to: "/compare/$id", params: { id } });
    },
  });
  const names = functions.data?.pages.flatMap(({ items }) => items.map((each) => each.name)) ?? [];
  const all = drivers.data?.items ?? [];
  const picked = chosen ?? all.filter(({ isAvailable }) => isAvailable).map((each) => each.name);
  const fn = name ?? names[0] ?? "";
  return (
    <Paper withBorder p="md">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const asked = { function: fn, drivers: picked as Asked["drivers"] };
          start.mutate({ ...asked, ...(isQuick && quick) });
        }}
      >
        <Stack gap="sm">
          <Group align="flex-end" gap="lg">
            <Autocomplete
              label="Function"
              placeholder="Its name"
              data={names}
              value={fn}
              onChange={setName}
              maxLength={63}
              limit={50}
              miw={220}
              required
            />
            <Checkbox.Group label="Drivers" value={picked} onChange={setChosen}>
              <Group mt={6}>
                {all.map(({ name: driver, isAvailable }) => (
                  <Checkbox
                    key={driver}
                    value={driver}
                    label={isAvailable ? driver : `${driver} (does not work here)`}
                  />
                ))}
              </Group>
            </Checkbox.Group>
          </Group>
          <Group>
            <Checkbox
              label="Quick: less exact"
              checked={isQuick}
              onChange={(event) => setIsQuick(event.currentTarget.checked)}
            />
            <Button
              type="submit"
              leftSection={<Scale size={16} aria-hidden />}
              loading={start.isPending}
              disabled={fn === "" || picked.length === 0}
            >
              Compare
            </Button>
          </Group>
          <Text size="sm" c="dimmed">
            The function is called many times with GET /, in sandboxes of its own; what it does
            outside of them it does each time. Other events: <code>isola compare</code>.
          </Text>
          {start.isError && <ErrorState error={start.error} />}
        </Stack>
      </form>
    </Paper>
  );
}
