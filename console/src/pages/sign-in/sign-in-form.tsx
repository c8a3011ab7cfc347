import { Button, PasswordInput, Stack, Text } from "@mantine/core";
import { ApiError } from "@isola/api/api-error";
import type { OpenSession, SessionView } from "@isola/api/sessions";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { api } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { explainError } from "../../format/explain-error.ts";

export interface SignInFormProps {
  text?: string;
  /** Of the link that the page was opened with. */
  link?: string | null;
  onSignedIn?(session: SessionView): void;
}

/** In words for who has typed a key; a link is told of by the server. */
function problemOf(error: Error, { link }: OpenSession = {}): string {
  const isUnknown = error instanceof ApiError && error.status === 401 && link === undefined;
  return isUnknown
    ? "No such key is known here: expected a whole one that is not revoked"
    : explainError(error).message;
}

/** With a key, or at once with a link. */
export function SignInForm({ text, link = null, onSignedIn }: SignInFormProps) {
  const [key, setKey] = useState("");
  const client = useQueryClient();
  const signIn = useMutation({
    mutationFn: (body: OpenSession) => api.openSession(body),
    onSuccess: (session) => {
      client.setQueryData(queries.session().queryKey, session);
      onSignedIn?.(session);
    },
  });
  const { mutate } = signIn;
  useEffect(() => {
    if (link !== null) mutate({ link });
  }, [link, mutate]);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    mutate({ key: key.trim() });
  };
  return (
    <form onSubmit={onSubmit}>
      <Stack>
        {text !== undefined && <Text size="sm">{text}</Text>}
        <PasswordInput
          label="API key"
          description="isola_<id>_<secret>"
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
          autoComplete="current-password"
          error={signIn.error === null ? null : problemOf(signIn.error, signIn.variables)}
          data-autofocus
          required
        />
        <Button type="submit" loading={signIn.isPending}>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}
