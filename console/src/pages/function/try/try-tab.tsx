import { Paper, SimpleGrid, Skeleton, Text } from "@mantine/core";
import type { Invoke } from "@isola/api/invocations";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useScope } from "../../../api/project-scope.ts";
import { ErrorState } from "../../../parts/error-state.tsx";
import { InvokedView } from "./invoked-view.tsx";
import { RequestForm } from "./request-form.tsx";

/** Calls the function, and shows what came of it. */
export function TryTab() {
  const { name } = useParams({ from: "/functions/$name" });
  return <TryPanel name={name} />;
}

export function TryPanel({ name, first }: { name: string; first?: Invoke }) {
  const { api } = useScope();
  const client = useQueryClient();
  const giveUp = useRef<AbortController>(null);
  useEffect(() => () => giveUp.current?.abort(), []);
  const call = useMutation({
    mutationFn: (body: Invoke) => {
      giveUp.current = new AbortController();
      return api.invoke(name, body, { signal: giveUp.current.signal });
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["invocations"] }),
  });
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
      <RequestForm
        {...(first !== undefined && { first })}
        isPending={call.isPending}
        onSend={(body) => call.mutate(body)}
        onCancel={() => giveUp.current?.abort()}
      />
      <Paper withBorder p="md" aria-live="polite">
        {call.isPending && <Skeleton h={120} />}
        {call.isError && <ErrorState error={call.error} />}
        {call.isSuccess && <InvokedView name={name} invoked={call.data} />}
        {call.isIdle && (
          <Text c="dimmed">The answer appears here, with its timing and its logs.</Text>
        )}
      </Paper>
    </SimpleGrid>
  );
}
