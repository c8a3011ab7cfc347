import { Alert, Anchor, Code, Group, ScrollArea, Stack, Table, Text, Title } from "@mantine/core";
import type { Invoked } from "@isola/api/invocations";
import { visibleText } from "../../../format/visible-text.ts";
import { InvocationLink } from "../../../parts/invocation-link.tsx";
import { LogLines } from "../../../parts/log-lines.tsx";
import { OutcomeBadge } from "../../../parts/outcome-badge.tsx";
import { Waterfall } from "../../../parts/waterfall.tsx";

/** An answer of the function `name` in full. Everything in it that the function has written is shown as text. */
export function InvokedView({ name, invoked }: { name: string; invoked: Invoked }) {
  const { id, revision, status, outcome, error, phases, startKind, logs, headers } = invoked;
  return (
    <Stack gap="md">
      <Group gap="sm">
        <Title order={2}>{status === 0 ? "No answer" : status}</Title>
        <OutcomeBadge outcome={outcome} />
        <Text size="sm" c="dimmed">
          revision {revision},{" "}
          <InvocationLink name={name} id={id}>
            {id}
          </InvocationLink>
        </Text>
      </Group>
      {error !== null && (
        <Alert color="red" title={error.type ?? error.code} role="alert">
          <Stack gap="xs">
            <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
              {visibleText(error.message)}
            </Text>
            {error.stack !== null && error.stack.trim() !== "" && (
              <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
                {visibleText(error.stack)}
              </Code>
            )}
          </Stack>
        </Alert>
      )}
      <Waterfall phases={phases} startKind={startKind} />
      <Body invoked={invoked} />
      {headers.length > 0 && (
        <details>
          <summary>{headers.length} headers</summary>
          <Table>
            <Table.Tbody>
              {headers.map(([name, value], at) => (
                // oxlint-disable-next-line react/no-array-index-key -- a header may come twice
                <Table.Tr key={at}>
                  <Table.Th>{name}</Table.Th>
                  <Table.Td style={{ overflowWrap: "anywhere" }}>{visibleText(value)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </details>
      )}
      {logs.length > 0 && <LogLines lines={logs} label="Log lines of this call" />}
    </Stack>
  );
}

function Body({ invoked: { body, bodyBase64, headers } }: { invoked: Invoked }) {
  if (bodyBase64 !== null) {
    const type = headers.find(([name]) => name === "content-type")?.[1] ?? "";
    return (
      <Text size="sm">
        The body is no text ({type || "of an unknown kind"}):{" "}
        <Anchor download="body" href={`data:application/octet-stream;base64,${bodyBase64}`}>
          download it
        </Anchor>
      </Text>
    );
  }
  if (body === null || body === "") return <Text c="dimmed">The body is empty.</Text>;
  return (
    <ScrollArea.Autosize mah={320} type="auto" viewportProps={{ tabIndex: 0 }}>
      <Code block aria-label="Body" style={{ whiteSpace: "pre-wrap" }}>
        {visibleText(body)}
      </Code>
    </ScrollArea.Autosize>
  );
}
