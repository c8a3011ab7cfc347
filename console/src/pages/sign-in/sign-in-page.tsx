import { Anchor, Center, Code, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useEffect, useState } from "react";
import { SignInForm } from "./sign-in-form.tsx";
import { takeSignInLink } from "./sign-in-link.ts";

export function SignInPage() {
  const [link, setLink] = useState<string | null>(null);
  useEffect(() => {
    const taken = takeSignInLink(window.location, window.history);
    if (taken !== null) setLink(taken);
  }, []);
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder p="xl" w="100%" maw={440}>
        <Stack>
          <Group gap="xs">
            <img src="/icon.svg" alt="" width={26} height={26} />
            <Title order={1}>Isola</Title>
          </Group>
          <SignInForm link={link} />
          <Text size="sm" c="dimmed">
            The first key is in the file <Code>admin-key</Code> of the server's data folder. On that
            machine <Code>isola console</Code> prints a link that signs you in. More:{" "}
            <Anchor href="/docs">API</Anchor>
          </Text>
        </Stack>
      </Paper>
    </Center>
  );
}
