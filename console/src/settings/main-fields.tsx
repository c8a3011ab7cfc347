import {
  Group,
  MultiSelect,
  NativeSelect,
  SimpleGrid,
  Stack,
  Switch,
  TextInput,
  Textarea,
} from "@mantine/core";
import { httpMethods } from "@isola/api/limits";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { queries } from "../api/queries.ts";
import { type Draft, envOf, envText } from "./draft.ts";

export interface MainFieldsProps {
  draft: Draft;
  onChange(change: Draft): void;
}

/** What nearly every function sets: driver, handler, route, env. */
export function MainFields({ draft, onChange }: MainFieldsProps) {
  const drivers = useQuery(queries.drivers());
  const choices = (drivers.data?.items ?? []).map(({ name, isAvailable, tier }) => ({
    value: name,
    label: isAvailable ? `${name} (${tier})` : `${name} (does not work here)`,
    disabled: !isAvailable && name !== draft.driver,
  }));
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <NativeSelect
          label="Driver"
          description="The isolation technology; the code stays as it is"
          data={
            draft.driver === undefined
              ? [{ value: "", label: "the server's default" }, ...choices]
              : choices
          }
          value={draft.driver ?? ""}
          onChange={(event) => {
            const driver = event.currentTarget.value;
            onChange({ driver: driver === "" ? undefined : (driver as Draft["driver"]) });
          }}
        />
        <TextInput
          label="Handler"
          description="file.export; for an app of Flask or FastAPI, file.app"
          value={draft.handler ?? ""}
          placeholder="index.handler"
          onChange={(event) => onChange({ handler: event.currentTarget.value || undefined })}
        />
      </SimpleGrid>
      <RouteFields draft={draft} onChange={onChange} />
      <EnvField draft={draft} onChange={onChange} />
      <Switch
        label="Callers see the function's own errors"
        description="Its message and stack, instead of a general one"
        checked={draft.exposeErrors ?? false}
        onChange={(event) => onChange({ exposeErrors: event.currentTarget.checked })}
      />
    </Stack>
  );
}

function RouteFields({ draft, onChange }: MainFieldsProps) {
  const route = draft.route ?? null;
  return (
    <Group align="flex-start" grow preventGrowOverflow={false}>
      <TextInput
        label="Route"
        description="/users/:id or /files/*; empty: only the function's own name"
        value={route?.path ?? ""}
        placeholder="/hello/:name"
        onChange={(event) => {
          const path = event.currentTarget.value;
          onChange({ route: path === "" ? null : { methods: route?.methods ?? [], path } });
        }}
      />
      <MultiSelect
        label="Methods"
        description="None chosen: all"
        data={[...httpMethods]}
        value={route?.methods ?? []}
        disabled={route === null}
        onChange={(methods) =>
          route !== null &&
          onChange({ route: { ...route, methods: methods as typeof route.methods } })
        }
      />
    </Group>
  );
}

function EnvField({ draft, onChange }: MainFieldsProps) {
  const [text, setText] = useState(() => envText(draft.env ?? {}));
  const [problem, setProblem] = useState<string | null>(null);
  return (
    <Textarea
      label="Environment"
      description="NAME=value, one per line"
      value={text}
      error={problem}
      autosize
      minRows={3}
      maxRows={12}
      spellCheck={false}
      styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      onChange={(event) => {
        const next = event.currentTarget.value;
        setText(next);
        const read = envOf(next);
        setProblem("problem" in read ? read.problem : null);
        if ("env" in read) onChange({ env: read.env });
      }}
    />
  );
}
