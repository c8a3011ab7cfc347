import {
  Button,
  Group,
  NativeSelect,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
  Textarea,
} from "@mantine/core";
import type { Invoke } from "@isola/api/invocations";
import { httpMethods } from "@isola/api/limits";
import { Play, Square } from "lucide-react";
import { useState } from "react";
import { CodeEditor } from "../../../parts/code-editor.tsx";
import { type RequestText, invokeOf, textOf } from "./request-text.ts";

export interface RequestFormProps {
  /** What stands in it at first. */
  first?: Invoke;
  isPending: boolean;
  onSend(body: Invoke): void;
  onCancel(): void;
}

export function RequestForm({ first, isPending, onSend, onCancel }: RequestFormProps) {
  const [text, setText] = useState<RequestText>(() => textOf(first));
  const [problem, setProblem] = useState<string | null>(null);
  const change = (part: Partial<RequestText>) => setText((before) => ({ ...before, ...part }));
  const send = () => {
    const body = invokeOf(text);
    setProblem("problem" in body ? body.problem : null);
    if (!("problem" in body)) onSend(body);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Stack gap="sm">
        <SegmentedControl
          aria-label="What is sent"
          value={text.kind}
          onChange={(kind) => change({ kind: kind as RequestText["kind"] })}
          data={[
            { value: "request", label: "HTTP request" },
            { value: "event", label: "Event" },
          ]}
        />
        {text.kind === "request" ? (
          <HttpParts text={text} change={change} />
        ) : (
          <CodeEditor
            label="Event, as JSON"
            path="event.json"
            value={text.event}
            onChange={(event) => change({ event })}
            height="240px"
          />
        )}
        {problem !== null && (
          <Text size="sm" c="var(--mantine-color-error)" role="alert">
            {problem}
          </Text>
        )}
        <Group>
          <Button type="submit" leftSection={<Play size={16} aria-hidden />} disabled={isPending}>
            Send
          </Button>
          {isPending && (
            <Button
              variant="default"
              leftSection={<Square size={14} aria-hidden />}
              onClick={onCancel}
            >
              Cancel
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}

interface PartsProps {
  text: RequestText;
  change(part: Partial<RequestText>): void;
}

function HttpParts({ text, change }: PartsProps) {
  const hasBody = text.method !== "GET" && text.method !== "HEAD";
  return (
    <>
      <Group gap="xs" align="flex-end" wrap="nowrap">
        <NativeSelect
          label="Method"
          data={[...httpMethods]}
          value={text.method}
          onChange={(event) => change({ method: event.currentTarget.value })}
        />
        <TextInput
          label="Path and query"
          value={text.path}
          onChange={(event) => change({ path: event.currentTarget.value })}
          style={{ flex: 1 }}
        />
      </Group>
      <Textarea
        label="Headers"
        description="name: value, one per line"
        value={text.headers}
        onChange={(event) => change({ headers: event.currentTarget.value })}
        autosize
        minRows={2}
        maxRows={8}
      />
      {hasBody && (
        <Textarea
          label="Body"
          value={text.body}
          onChange={(event) => change({ body: event.currentTarget.value })}
          autosize
          minRows={4}
          maxRows={16}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        />
      )}
    </>
  );
}
