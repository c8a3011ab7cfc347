import { Fieldset, NativeSelect, NumberInput, SimpleGrid, Stack } from "@mantine/core";
import classes from "./setting-fields.module.css";
import { type Field, type NumberField, fieldGroups } from "./fields.ts";
import type { Draft } from "./draft.ts";

export interface SettingFieldsProps {
  draft: Draft;
  onChange(change: Draft): void;
}

/** Every setting that is a number or a choice, by its group. */
export function SettingFields({ draft, onChange }: SettingFieldsProps) {
  return (
    <Stack>
      {fieldGroups.map(({ title, fields }) => (
        <Fieldset key={title} legend={title}>
          <SimpleGrid
            cols={{ base: 1, sm: 2, lg: 3 }}
            verticalSpacing={0}
            className={classes.fields}
          >
            {fields.map((field) => (
              <Input key={field.name} field={field} draft={draft} onChange={onChange} />
            ))}
          </SimpleGrid>
        </Fieldset>
      ))}
    </Stack>
  );
}

function Input({ field, draft, onChange }: SettingFieldsProps & { field: Field }) {
  const value = (draft as Record<string, unknown>)[field.name];
  const change = (next: unknown) => onChange({ [field.name]: next } as Draft);
  if (field.kind === "choice")
    return (
      <NativeSelect
        label={field.label}
        description={field.help}
        data={[...field.choices]}
        value={typeof value === "string" ? value : field.choices[0]?.value}
        onChange={(event) => change(event.currentTarget.value)}
      />
    );
  return (
    <NumberInput
      label={field.unit === "" ? field.label : `${field.label} (${field.unit})`}
      description={helpOf(field)}
      value={typeof value === "number" ? value : ""}
      min={field.least}
      max={field.most}
      clampBehavior="none"
      error={problemOf(field, value)}
      allowDecimal={false}
      allowNegative={false}
      onChange={(next) =>
        change(next === "" ? (field.whenEmpty === undefined ? undefined : null) : Number(next))
      }
    />
  );
}

function helpOf({ help, whenEmpty, least, most }: NumberField): string {
  const range = `${least.toLocaleString()} to ${most.toLocaleString()}`;
  return `${help}. ${range}${whenEmpty === undefined ? "" : `; empty: ${whenEmpty}`}`;
}

function problemOf({ least, most }: NumberField, value: unknown): string | null {
  if (typeof value !== "number" || (value >= least && value <= most)) return null;
  return `expected ${least} to ${most}`;
}
