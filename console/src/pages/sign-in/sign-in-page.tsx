import {
  Anchor,
  Button,
  Center,
  Code,
  Paper,
  PasswordInput,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import type { OpenSession } from "@isola/api/sessions";
import { api } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { explainError } from "../../format/explain-error.ts";
import { takeSignInLink } from "./sign-in-link.ts";

export function SignInPage() {
  const [key, setKey] = useState("");
  const client = useQueryClient();
  const signIn = useMutation({
    mutationFn: (body: OpenSession) => api.openSession(body),
    onSuccess: (session) => client.setQueryData(queries.session().queryKey, session),
  });
  const { mutate } = signIn;
  useEffect(() => {
    const link = takeSignInLink(window.location, window.history);
    if (link !== null) mutate({ link });
  }, [mutate]);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    mutate({ key: key.trim() });
  };
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder p="xl" w="100%" maw={440}>
        <form onSubmit={onSubmit}>
          <Stack>
            <Title order={1}>Isola</Title>
            <PasswordInput
              label="API key"
              description="isola_<id>_<secret>"
              value={key}
              onChange={(event) => setKey(event.currentTarget.value)}
              autoComplete="current-password"
              error={signIn.error === null ? null : explainError(signIn.error).message}
              data-autofocus
              required
            />
            <Button type="submit" loading={signIn.isPending}>
              Sign in
            </Button>
            <Text size="sm" c="dimmed">
              The first key is in the file <Code>admin-key</Code> of the server's data folder. On
              that machine <Code>isola console</Code> prints a link that signs you in. More:{" "}
              <Anchor href="/docs">API</Anchor>
            </Text>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
