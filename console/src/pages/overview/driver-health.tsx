import { Anchor, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleX } from "lucide-react";
import { queries } from "../../api/queries.ts";

/** Which isolation technologies work here, in one line. */
export function DriverHealth() {
  const drivers = useQuery(queries.drivers());
  return (
    <Group gap="md">
      {drivers.data?.items.map(({ name, isAvailable, problems }) => (
        <Group key={name} gap={4} title={isAvailable ? "works" : problems.join("; ")}>
          {isAvailable ? (
            <CircleCheck size={16} color="var(--mantine-color-teal-text)" aria-label="works" />
          ) : (
            <CircleX
              size={16}
              color="var(--mantine-color-dimmed)"
              aria-label="does not work here"
            />
          )}
          <Text size="sm">{name}</Text>
        </Group>
      ))}
      <Anchor component={Link} to="/system" size="sm">
        System
      </Anchor>
    </Group>
  );
}
