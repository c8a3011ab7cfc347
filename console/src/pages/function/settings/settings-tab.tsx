import { Button, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import type { FunctionView } from "@isola/api/functions";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useScope } from "../../../api/project-scope.ts";
import { BuildOutput } from "../../../parts/build-output.tsx";
import { ConfirmByName } from "../../../parts/confirm-by-name.tsx";
import { ErrorState } from "../../../parts/error-state.tsx";
import { type Draft, changesOf } from "../../../settings/draft.ts";
import { MainFields } from "../../../settings/main-fields.tsx";
import { type Refusal, standing } from "../../../settings/refusal.ts";
import { ScheduleFields } from "../../../settings/schedule-fields.tsx";
import { SettingFields } from "../../../settings/setting-fields.tsx";

/** Everything that decides how the function runs. */
export function SettingsTab() {
  const { name } = useParams({ from: "/functions/$name" });
  const { queries } = useScope();
  const fn = useQuery(queries.function(name));
  if (fn.error !== null && fn.data === undefined) return <ErrorState error={fn.error} />;
  if (fn.data === undefined) return <Skeleton h={300} />;
  return (
    <Stack>
      {/* Another version is another form: what was typed into the old one is told by the server as a conflict. */}
      <SettingsForm key={name} fn={fn.data} />
      <DangerZone name={name} />
    </Stack>
  );
}

function SettingsForm({ fn }: { fn: FunctionView }) {
  const { api } = useScope();
  const [base, setBase] = useState(fn);
  const [draft, setDraft] = useState<Draft>(() => draftOf(fn));
  const [output, setOutput] = useState<string[]>([]);
  /** Of the fields that hold text of their own: saved or discarded, they begin anew. */
  const [edition, setEdition] = useState(0);
  const client = useQueryClient();
  const changes = changesOf(base, draft);
  const begin = (from: FunctionView) => {
    setBase(from);
    setDraft(draftOf(from));
    setEdition((before) => before + 1);
  };
  const save = useMutation({
    mutationFn: (sent: Draft) => {
      setOutput([]);
      const onOutput = (line: string) => setOutput((before) => [...before.slice(-999), line]);
      return api.patchFunction(fn.name, sent, { ifMatch: base.etag, onOutput });
    },
    onSuccess: (changed) => {
      begin(changed);
      return client.invalidateQueries({ queryKey: ["functions"] });
    },
  });
  const refusal: Refusal | null = save.isError ? { error: save.error, sent: save.variables } : null;
  const problem = standing(refusal, draft);
  const count = Object.keys(changes).length;
  const onChange = (change: Draft) => setDraft((before) => ({ ...before, ...change }));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(changes);
      }}
    >
      <Stack>
        <MainFields key={edition} draft={draft} onChange={onChange} />
        <SettingFields draft={draft} onChange={onChange} />
        <ScheduleFields
          key={`schedules ${edition}`}
          draft={draft}
          refusal={refusal}
          onChange={onChange}
        />
        <BuildOutput lines={output} />
        {problem !== null && <ErrorState error={problem} />}
        <Group>
          <Button type="submit" disabled={count === 0} loading={save.isPending}>
            Save as a new revision
          </Button>
          <Button
            variant="default"
            disabled={count === 0 || save.isPending}
            onClick={() => {
              begin(fn);
              save.reset();
            }}
          >
            Discard changes
          </Button>
          <Text size="sm" c="dimmed" role="status">
            {count > 0
              ? `Changed: ${Object.keys(changes).join(", ")}`
              : save.isSuccess
                ? `Revision ${base.liveRevision} is live.`
                : ""}
          </Text>
        </Group>
      </Stack>
    </form>
  );
}

/** Values of env are hidden from keys that may only read: then env is no part of the form. */
function draftOf(fn: FunctionView): Draft {
  const { handler, driver, exposeErrors, description } = fn;
  const hasValues = Object.values(fn.env).every((value) => value !== null);
  const settings: Draft = {
    ...{ handler, driver, exposeErrors, description, route: fn.route },
    ...{ memoryMiB: fn.memoryMiB, tmpMiB: fn.tmpMiB, timeoutMs: fn.timeoutMs },
    ...{ initTimeoutMs: fn.initTimeoutMs, queueTimeoutMs: fn.queueTimeoutMs },
    ...{ timeoutGraceMs: fn.timeoutGraceMs, concurrency: fn.concurrency },
    ...{ concurrencyTarget: fn.concurrencyTarget, minSandboxes: fn.minSandboxes },
    ...{ maxSandboxes: fn.maxSandboxes, reservedConcurrency: fn.reservedConcurrency },
    ...{ firstByteTimeoutMs: fn.firstByteTimeoutMs, streamIdleTimeoutMs: fn.streamIdleTimeoutMs },
    ...{ streamTimeoutMs: fn.streamTimeoutMs, afterResponse: fn.afterResponse },
    ...{ onDisconnect: fn.onDisconnect, network: fn.network, schedules: fn.schedules },
  };
  return hasValues ? { ...settings, env: fn.env as Record<string, string> } : settings;
}

function DangerZone({ name }: { name: string }) {
  const { api } = useScope();
  const [isAsking, setIsAsking] = useState(false);
  const client = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => api.deleteFunction(name),
    onSuccess: async () => {
      await navigate({ to: "/functions" });
      client.removeQueries({ queryKey: ["functions", "one"] });
      await client.invalidateQueries({ queryKey: ["functions", "list"] });
    },
  });
  return (
    <Paper withBorder p="md" style={{ borderColor: "var(--mantine-color-error)" }}>
      <Group justify="space-between">
        <Stack gap={2}>
          <Title order={2}>Delete this function</Title>
          <Text size="sm" c="dimmed">
            With its revisions and its address. Calls that run are ended.
          </Text>
        </Stack>
        <Button color="red.8" onClick={() => setIsAsking(true)}>
          Delete
        </Button>
      </Group>
      <ConfirmByName
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        name={name}
        title="Delete the function"
        text="Its revisions and code are gone afterwards; records and logs stay until their time is over."
        verb="Delete"
        isPending={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate()}
      />
    </Paper>
  );
}
