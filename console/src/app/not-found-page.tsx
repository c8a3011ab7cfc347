import { Anchor, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";

export function NotFoundPage() {
  return (
    <Stack p="md">
      <Title order={1}>There is no such page</Title>
      <Text>
        <Anchor component={Link} to="/functions">
          Functions
        </Anchor>
      </Text>
    </Stack>
  );
}
