import { Accordion, Badge, Code, Group, List, Stack, Text, Title } from "@mantine/core";
import type { DriverView } from "@isola/api/machine";
import { CircleCheck, CircleX } from "lucide-react";
import { FactTable } from "../../parts/fact-table.tsx";

/** Each isolation technology: whether it works here, how it protects, and what would help. */
export function DriverCards({ drivers }: { drivers: readonly DriverView[] }) {
  return (
    <Stack gap="xs">
      <Title order={2}>Drivers</Title>
      <Accordion variant="separated" multiple>
        {drivers.map((driver) => (
          <Accordion.Item key={driver.name} value={driver.name}>
            <Accordion.Control>
              <DriverHead driver={driver} />
            </Accordion.Control>
            <Accordion.Panel>
              <DriverDetails driver={driver} />
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
    </Stack>
  );
}

function DriverHead({
  driver: { name, isAvailable, tier, versions, problems },
}: {
  driver: DriverView;
}) {
  const known = Object.entries(versions).map(([part, version]) => `${part} ${version}`);
  return (
    <Group gap="sm" wrap="wrap">
      {isAvailable ? (
        <CircleCheck size={18} color="var(--mantine-color-teal-text)" aria-label="works" />
      ) : (
        <CircleX size={18} color="var(--mantine-color-red-text)" aria-label="does not work" />
      )}
      <Text fw={600}>{name}</Text>
      <Badge variant="default" tt="none">
        {tier}
      </Badge>
      <Text size="sm" c="dimmed">
        {isAvailable ? known.join(", ") : problems[0]}
      </Text>
    </Group>
  );
}

function DriverDetails({ driver: { protections, problems, fixes } }: { driver: DriverView }) {
  return (
    <Stack gap="sm">
      {problems.length > 0 && (
        <List size="sm">
          {problems.map((problem) => (
            <List.Item key={problem}>{problem}</List.Item>
          ))}
        </List>
      )}
      {fixes.length > 0 && (
        <Stack gap={4}>
          <Text size="sm" fw={600}>
            What would help
          </Text>
          {fixes.map((fix) => (
            <Code key={fix} block>
              {fix}
            </Code>
          ))}
        </Stack>
      )}
      {protections.length > 0 && (
        <FactTable
          title="Protections"
          isTitleHidden
          rows={protections}
          keyOf={({ name }) => name}
          empty=""
          minWidthPx={400}
          columns={[
            { head: "Protection", cell: ({ name }) => name },
            { head: "In force", cell: ({ isEnforced }) => (isEnforced ? "yes" : "no") },
            { head: "How", isProse: true, cell: ({ how }) => how },
          ]}
        />
      )}
    </Stack>
  );
}
