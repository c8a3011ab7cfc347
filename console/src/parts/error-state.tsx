import { Alert, Button, Code, Group, List, Stack, Text } from "@mantine/core";
import { CircleAlert } from "lucide-react";
import { explainError } from "../format/explain-error.ts";

/** What went wrong, and what to do. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { title, message, details, requestId } = explainError(error);
  // Of fields that are wrong the message says no more than the list.
  const isListed = details.some(({ path, expected }) =>
    message.includes(`${path}: expected ${expected}`),
  );
  return (
    <Alert color="red" icon={<CircleAlert />} title={title} role="alert">
      <Stack gap="xs" align="flex-start">
        {!isListed && (
          <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
            {message}
          </Text>
        )}
        {details.length > 0 && (
          <List size="sm">
            {details.map(({ path, expected, given }) => (
              <List.Item key={`${path} ${expected}`}>
                <Code>{path || "(the request)"}</Code>: expected {expected}, given {given}
              </List.Item>
            ))}
          </List>
        )}
        <Group gap="md">
          {onRetry !== undefined && (
            <Button size="xs" variant="default" onClick={onRetry}>
              Try again
            </Button>
          )}
          {requestId !== "" && (
            <Text size="xs" c="dimmed">
              Request <Code>{requestId}</Code>
            </Text>
          )}
        </Group>
      </Stack>
    </Alert>
  );
}
