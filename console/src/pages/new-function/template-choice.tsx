import { Card, Input, Radio, SegmentedControl, SimpleGrid, Stack, Text } from "@mantine/core";
import { type Language, type Template, languages } from "./read-templates.ts";
import { templates } from "./templates.ts";

export interface TemplateChoiceProps {
  chosen: Template;
  onChoose(next: Template): void;
}

/** The language, and what there is to begin with in it. */
export function TemplateChoice({ chosen, onChoose }: TemplateChoiceProps) {
  const ofLanguage = templates.filter(({ language }) => language === chosen.language);
  const chooseLanguage = (next: Language) => {
    const there = templates.filter(({ language }) => language === next);
    onChoose((there.find(({ kind }) => kind === chosen.kind) ?? there[0]) as Template);
  };
  return (
    <>
      <Input.Wrapper label="Language" labelElement="div">
        <SegmentedControl
          aria-label="Language"
          value={chosen.language}
          onChange={(next) => chooseLanguage(next as Language)}
          data={[...languages]}
          maw={400}
          fullWidth
        />
      </Input.Wrapper>
      <Radio.Group
        label="Template"
        value={chosen.id}
        onChange={(id) => onChoose(templates.find((each) => each.id === id) ?? chosen)}
      >
        <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} mt="xs" spacing="sm">
          {ofLanguage.map(({ id, title, description }) => (
            <Card key={id} withBorder padding="sm" component="label" style={{ cursor: "pointer" }}>
              <Stack gap={2}>
                <Radio value={id} label={title} />
                <Text size="xs" c="dimmed" pl={32}>
                  {description}
                </Text>
              </Stack>
            </Card>
          ))}
        </SimpleGrid>
      </Radio.Group>
    </>
  );
}
