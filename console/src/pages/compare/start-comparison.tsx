import { Button, Checkbox, Group, NativeSelect, Paper, Stack, Text } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Scale } from "lucide-react";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { ErrorState } from "../../parts/error-state.tsx";

type Asked = Parameters<typeof api.startComparison>[0];

/** What to compare; it runs in the background, and its page shows how far it is. */
export function StartComparison() {
  const functions = useInfiniteQuery(queries.functions({ sort: "name" }));
  const drivers = useQuery(queries.drivers());
  const [name, setName] = useState("");
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
  const fn = name === "" ? names[0] : name;
  return (
    <Paper withBorder p="md">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (fn === undefined) return;
          const short = isQuick ? { durationMs: 200, coldStarts: 2, starts: 2, mixes: [] } : {};
          start.mutate({ function: fn, drivers: picked as Asked["drivers"], ...short });
        }}
      >
        <Stack gap="sm">
          <Group align="flex-end">
            <NativeSelect
              label="Function"
              data={names}
              value={fn ?? ""}
              onChange={(event) => setName(event.currentTarget.value)}
              miw={200}
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
            <Checkbox
              label="Quick: less exact"
              checked={isQuick}
              onChange={(event) => setIsQuick(event.currentTarget.checked)}
            />
            <Button
              type="submit"
              leftSection={<Scale size={16} aria-hidden />}
              loading={start.isPending}
              disabled={fn === undefined || picked.length === 0}
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
