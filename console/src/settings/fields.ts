import type { PatchFunction } from "@isola/api/functions";
import { scalingLimits, settingLimits, streamLimits } from "@isola/api/limits";

export type SettingName = keyof PatchFunction;

interface FieldBase {
  name: SettingName;
  label: string;
  /** What it does, for a person who sees it for the first time. */
  help: string;
}

export interface NumberField extends FieldBase {
  kind: "number";
  unit: string;
  least: number;
  most: number;
  /** Empty means null, which means this. */
  whenEmpty?: string;
}

export interface ChoiceField extends FieldBase {
  kind: "choice";
  choices: readonly { value: string; label: string }[];
}

export type Field = NumberField | ChoiceField;

function number(
  name: keyof typeof settingLimits,
  label: string,
  unit: string,
  help: string,
): NumberField {
  const { least, most } = settingLimits[name];
  return { kind: "number", name, label, unit, help, least, most };
}

/** Groups of settings as the form shows them. */
export const fieldGroups: readonly { title: string; fields: readonly Field[] }[] = [
  {
    title: "Size and time",
    fields: [
      number("memoryMiB", "Memory", "MiB", "More ends the sandbox as out of memory"),
      number("tmpMiB", "Size of /tmp", "MiB", "Counts as memory while it is full"),
      number(
        "timeoutMs",
        "Timeout",
        "ms",
        "From the start of the run; then the caller is answered",
      ),
      number("initTimeoutMs", "Init timeout", "ms", "Loading of the code"),
      number("queueTimeoutMs", "Queue timeout", "ms", "Waiting for a sandbox"),
      number("timeoutGraceMs", "Grace", "ms", "From the deadline until the sandbox is killed"),
    ],
  },
  {
    title: "Scaling",
    fields: [
      number("concurrency", "Concurrency", "", "Invocations at once in one sandbox"),
      {
        kind: "number",
        name: "concurrencyTarget",
        label: "Concurrency target",
        unit: "",
        help: "Another sandbox starts where each has more",
        ...scalingLimits.concurrencyTarget,
        whenEmpty: "the concurrency",
      },
      number("minSandboxes", "Least sandboxes", "", "Kept warm without a call"),
      number("maxSandboxes", "Most sandboxes", "", "Further calls wait in the queue"),
      {
        kind: "number",
        name: "reservedConcurrency",
        label: "Reserved concurrency",
        unit: "",
        help: "Of the server's invocations, those that are this function's alone",
        ...scalingLimits.reservedConcurrency,
        whenEmpty: "it shares what is left",
      },
    ],
  },
  {
    title: "Streaming",
    fields: [
      {
        kind: "number",
        name: "firstByteTimeoutMs",
        label: "First byte timeout",
        unit: "ms",
        help: "Until the first byte of the body",
        ...streamLimits.firstByteTimeoutMs,
        whenEmpty: "the timeout alone",
      },
      {
        kind: "number",
        name: "streamIdleTimeoutMs",
        label: "Stream idle timeout",
        unit: "ms",
        help: "Between two pieces of the body",
        ...streamLimits.streamIdleTimeoutMs,
        whenEmpty: "not bounded",
      },
      {
        kind: "number",
        name: "streamTimeoutMs",
        label: "Stream timeout",
        unit: "ms",
        help: "Instead of the timeout, once the body streams",
        ...streamLimits.streamTimeoutMs,
        whenEmpty: "the timeout",
      },
    ],
  },
  {
    title: "Conduct",
    fields: [
      {
        kind: "choice",
        name: "network",
        label: "Network",
        help: "Whether the code may call out; never to this machine or private addresses",
        choices: [
          { value: "none", label: "none" },
          { value: "internet", label: "internet" },
        ],
      },
      {
        kind: "choice",
        name: "afterResponse",
        label: "After the response",
        help: "What becomes of work that goes on once the answer is given",
        choices: [
          { value: "freeze", label: "freeze: it stands still until the next call" },
          { value: "kill", label: "kill: the sandbox ends" },
          { value: "allow", label: "allow: it runs on" },
        ],
      },
      {
        kind: "choice",
        name: "onDisconnect",
        label: "When the caller leaves",
        help: "What becomes of a call that nobody waits for any more",
        choices: [
          { value: "cancel", label: "cancel" },
          { value: "continue", label: "continue" },
        ],
      },
    ],
  },
];
