import { Alert, Badge, Button, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue, useDocumentVisibility } from "@mantine/hooks";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Pause, Play, Search } from "lucide-react";
import { useEffect, useState } from "react";
import { count } from "../../../format/units.ts";
import { LogLines } from "../../../parts/log-lines.tsx";
import { useLiveLogs } from "./live-logs.ts";
import { type LogFilter, levelChoices, logFilterOf } from "./log-filter.ts";

const TYPING_MS = 300;

/** What the function writes, as it writes it. */
export function LogsTab() {
  const { name } = useParams({ from: "/functions/$name/logs" });
  // An address may have more in it than what this page knows.
  const filter = logFilterOf({ ...useSearch({ from: "/functions/$name/logs" }) });
  const [isPaused, setIsPaused] = useState(false);
  const isHidden = useDocumentVisibility() === "hidden";
  const { lines, dropped, state, problem } = useLiveLogs(name, filter, isPaused || isHidden);
  return (
    <Stack gap="sm">
      <Group align="flex-end" gap="sm">
        <Filters filter={filter} />
        <Button
          variant="default"
          leftSection={isPaused ? <Play size={16} aria-hidden /> : <Pause size={16} aria-hidden />}
          onClick={() => setIsPaused(!isPaused)}
        >
          {isPaused ? "Go on" : "Pause"}
        </Button>
        <Badge variant="default" tt="none" role="status">
          {state}
        </Badge>
      </Group>
      {state === "broken" && (
        <Alert color="yellow" title="The live view broke off; it is tried again">
          {problem}
        </Alert>
      )}
      {dropped > 0 && (
        <Text size="sm" c="dimmed">
          {count(dropped)} lines came too fast and are not shown here; they are kept.
        </Text>
      )}
      {lines.length === 0 && state !== "loading" ? (
        <Text c="dimmed">
          No lines. What the function prints appears here within a second; a line of JSON with{" "}
          <code>level</code> and <code>msg</code> gets its level.
        </Text>
      ) : (
        <LogLines
          lines={lines}
          label="Log lines"
          ofInvocation={name}
          isFollowed={state === "live"}
        />
      )}
    </Stack>
  );
}

function Filters({ filter }: { filter: LogFilter }) {
  const navigate = useNavigate({ from: "/functions/$name/logs" });
  const [text, setText] = useState(filter.text ?? "");
  const [typed] = useDebouncedValue(text, TYPING_MS);
  useEffect(() => {
    void navigate({
      search: (before) => ({ ...before, text: typed === "" ? undefined : typed }),
      replace: true,
    });
  }, [typed, navigate]);
  return (
    <>
      <NativeSelect
        label="Level"
        data={levelChoices}
        value={filter.level ?? ""}
        onChange={(event) => {
          const level = event.currentTarget.value;
          void navigate({
            search: (before) => ({
              ...before,
              level: level === "" ? undefined : (level as LogFilter["level"]),
            }),
            replace: true,
          });
        }}
      />
      <TextInput
        label="Text"
        leftSection={<Search size={16} aria-hidden />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        maxLength={200}
      />
      <TextInput
        label="Request"
        placeholder="inv-..."
        defaultValue={filter.invocation ?? ""}
        maxLength={128}
        onBlur={(event) => {
          const invocation = event.currentTarget.value.trim();
          void navigate({
            search: (before) => ({
              ...before,
              invocation: invocation === "" ? undefined : invocation,
            }),
            replace: true,
          });
        }}
      />
    </>
  );
}
