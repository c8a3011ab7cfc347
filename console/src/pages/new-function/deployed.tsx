import { Alert, Anchor, Button, Code, Group, Stack, Text, Title } from "@mantine/core";
import type { ChangedFunction } from "@isola/api/functions";
import type { Invoke } from "@isola/api/invocations";
import { Link } from "@tanstack/react-router";
import { CircleCheck } from "lucide-react";
import { CopyButton } from "../../parts/copy-button.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { TryPanel } from "../function/try/try-tab.tsx";
import { curlLine } from "./curl-line.ts";

/** It is there: its address, a line for the terminal, and a first call. */
export function Deployed({ fn, first }: { fn: ChangedFunction; first: Invoke | undefined }) {
  const line = curlLine(fn.url, first?.request);
  return (
    <>
      <PageHeader title={`${fn.name} is deployed`}>
        <Button
          component={Link}
          to="/functions/$name/code"
          params={{ name: fn.name } as never}
          variant="default"
        >
          Open the function
        </Button>
      </PageHeader>
      <Stack>
        <Alert
          variant="outline"
          color="isola"
          icon={<CircleCheck aria-hidden />}
          title={fn.applied ? "It answers now" : "It is stored"}
        >
          <Stack gap="xs">
            {!fn.applied && (
              <Text size="sm">The gateway takes it as soon as it answers again.</Text>
            )}
            <Anchor
              href={fn.url}
              target="_blank"
              rel="noreferrer"
              style={{ overflowWrap: "anywhere" }}
            >
              {fn.url}
            </Anchor>
            <Group gap="xs" wrap="nowrap">
              <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
                {line}
              </Code>
              <CopyButton value={line} label="Copy the line" />
            </Group>
          </Stack>
        </Alert>
        <Title order={2}>Try it</Title>
        <TryPanel name={fn.name} {...(first !== undefined && { first })} />
      </Stack>
    </>
  );
}
