import {
  Button,
  Fieldset,
  Group,
  Paper,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  TextInput,
  Textarea,
} from "@mantine/core";
import { NAME_PATTERN, requestLimits } from "@isola/api/limits";
import { Plus, Trash2 } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { type Draft, eventOf, eventText } from "./draft.ts";
import { type Refusal, type ScheduleMember, refusedValue } from "./refusal.ts";
import classes from "./setting-fields.module.css";

type ScheduleDraft = NonNullable<Draft["schedules"]>[number];

export interface ScheduleFieldsProps {
  draft: Draft;
  /** Why the server did not take it: what is about a field is told there, and the first such one is gone to. */
  refusal: Refusal | null;
  onChange(change: Draft): void;
}

const monospaced = { input: { fontFamily: "var(--mantine-font-family-monospace)" } };

/** When the server calls the function by itself. */
export function ScheduleFields({ draft, refusal, onChange }: ScheduleFieldsProps) {
  const schedules = draft.schedules ?? [];
  /** Of the rows, so that each keeps what is typed into it where one above goes. */
  const [keys, setKeys] = useState(() => schedules.map((_, at) => at));
  const zones = useId();
  const fields = useRef<HTMLFieldSetElement>(null);
  const error = refusal?.error;
  useEffect(() => {
    if (error !== undefined)
      fields.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [error]);
  const put = (at: number, schedule: ScheduleDraft) =>
    onChange({ schedules: schedules.with(at, schedule) });
  const add = () => {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    setKeys([...keys, Math.max(-1, ...keys) + 1]);
    onChange({ schedules: [...schedules, { name: "", cron: "", timeZone, enabled: true }] });
  };
  const remove = (at: number) => {
    setKeys(keys.toSpliced(at, 1));
    onChange({ schedules: schedules.toSpliced(at, 1) });
  };
  return (
    <Fieldset legend="Schedules" ref={fields}>
      <Stack>
        {schedules.length === 0 && (
          <Text size="sm" c="dimmed">
            The server calls the function at the times of its schedules. It has none.
          </Text>
        )}
        {schedules.map((schedule, at) => (
          <Row
            key={keys[at]}
            schedule={schedule}
            label={`Schedule ${at + 1}`}
            isNameTaken={schedules.findIndex(({ name }) => name === schedule.name) < at}
            refused={(member) => refusedValue(refusal, member, schedule[member])}
            zones={zones}
            onChange={(next) => put(at, next)}
            onRemove={() => remove(at)}
          />
        ))}
        <Group>
          <Button
            variant="default"
            leftSection={<Plus size={16} aria-hidden />}
            disabled={schedules.length >= requestLimits.schedulesMax}
            onClick={add}
          >
            Add a schedule
          </Button>
        </Group>
        <datalist id={zones}>
          {Intl.supportedValuesOf("timeZone").map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
      </Stack>
    </Fieldset>
  );
}

interface RowProps {
  schedule: ScheduleDraft;
  label: string;
  /** One before it has the same. */
  isNameTaken: boolean;
  /** What the server said of a member. */
  refused(member: ScheduleMember): string | null;
  /** Id of the list of time zones. */
  zones: string;
  onChange(schedule: ScheduleDraft): void;
  onRemove(): void;
}

function Row({ schedule, label, isNameTaken, refused, zones, onChange, onRemove }: RowProps) {
  const { name, cron, timeZone = "UTC", enabled = true } = schedule;
  const problem = nameProblem(name, isNameTaken);
  return (
    <Paper withBorder p="sm" role="group" aria-label={label}>
      <Stack gap="sm">
        <Text size="sm" fw={600}>
          {label}
        </Text>
        <SimpleGrid cols={{ base: 1, sm: 3 }} verticalSpacing={0} className={classes.fields}>
          <TextInput
            ref={(input) => input?.setCustomValidity(problem)} // it is not saved so
            label="Name"
            description="Lower-case letters, digits and -"
            placeholder="nightly"
            required
            value={name}
            error={problem === "" ? null : problem}
            onChange={(event) => onChange({ ...schedule, name: event.currentTarget.value })}
          />
          <TextInput
            label="Cron"
            description="Minute, hour, day, month, day of the week; or @daily"
            placeholder="0 3 * * *"
            required
            maxLength={requestLimits.cronCharsMax}
            spellCheck={false}
            styles={monospaced}
            value={cron}
            error={refused("cron")}
            onChange={(event) => onChange({ ...schedule, cron: event.currentTarget.value })}
          />
          <TextInput
            label="Time zone"
            description="Of the clock that cron is read on"
            required
            list={zones}
            maxLength={requestLimits.timeZoneCharsMax}
            spellCheck={false}
            value={timeZone}
            error={refused("timeZone")}
            onChange={(event) => onChange({ ...schedule, timeZone: event.currentTarget.value })}
          />
        </SimpleGrid>
        <EventField schedule={schedule} refused={refused} onChange={onChange} />
        <Group justify="space-between">
          <Switch
            label="Enabled"
            checked={enabled}
            onChange={(event) => onChange({ ...schedule, enabled: event.currentTarget.checked })}
          />
          <Button
            variant="default"
            leftSection={<Trash2 size={16} aria-hidden />}
            aria-label={`Remove the schedule ${name || "without a name"}`}
            onClick={onRemove}
          >
            Remove
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}

/** Empty: there is none. */
function nameProblem(name: string, isTaken: boolean): string {
  if (name === "") return ""; // that it is required is told as it is saved
  if (!new RegExp(NAME_PATTERN).test(name))
    return "expected lower-case letters, digits and -, a letter first, 63 at most";
  return isTaken ? "expected a name that no schedule before it has" : "";
}

function EventField({
  schedule,
  refused,
  onChange,
}: Pick<RowProps, "schedule" | "refused" | "onChange">) {
  const [text, setText] = useState(() => eventText(schedule.event));
  const read = eventOf(text);
  const problem = "problem" in read ? read.problem : "";
  return (
    <Textarea
      ref={(input) => input?.setCustomValidity(problem)} // what is no JSON is not saved without it
      label="Event"
      description="JSON, which everyone sees who may read the function; empty: a scheduled event with the due moment as its time"
      value={text}
      error={problem === "" ? refused("event") : problem}
      autosize
      minRows={1}
      maxRows={12}
      spellCheck={false}
      styles={monospaced}
      onChange={(change) => {
        const next = change.currentTarget.value;
        setText(next);
        const found = eventOf(next);
        if ("problem" in found) return;
        const { event: _, ...rest } = schedule;
        onChange({ ...rest, ...found });
      }}
    />
  );
}
