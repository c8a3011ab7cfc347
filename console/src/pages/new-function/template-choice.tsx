import { Card, Radio, SimpleGrid, Stack, Text } from "@mantine/core";
import { type Template, templates } from "./templates.ts";

const languages = { nodejs: "JavaScript", python: "Python" };

export function TemplateChoice({
  chosen,
  onChoose,
}: {
  chosen: Template;
  onChoose(next: Template): void;
}) {
  return (
    <Radio.Group
      label="Template"
      value={chosen.id}
      onChange={(id) => onChoose(templates.find((each) => each.id === id) ?? chosen)}
    >
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} mt="xs" spacing="sm">
        {templates.map(({ id, title, summary, runtime }) => (
          <Card key={id} withBorder padding="sm" component="label" style={{ cursor: "pointer" }}>
            <Stack gap={2}>
              <Radio value={id} label={`${title}, ${languages[runtime]}`} />
              <Text size="xs" c="dimmed" pl={32}>
                {summary}
              </Text>
            </Stack>
          </Card>
        ))}
      </SimpleGrid>
    </Radio.Group>
  );
}
