/** How bad an event is, least first. */
export const severities = ["info", "warn", "error"] as const;
export type Severity = (typeof severities)[number];

export type EventFields = Record<string, string | number | boolean | null>;

interface EventSpec {
  severity: Severity;
  /** What it says to people; `{name}` stands for a field, `{function}` for the function's name. */
  text: string;
  /** Every field it has, and what that is. */
  fields: Record<string, string>;
}

const count = "How often within the second, told as one";
const sandboxes = "Sandboxes of the revision afterwards";
const revision = "Number of the revision";
const key = "Id of the key that asked";
const schedule = "Its name";
const lastCall = { invocation: "Id of the call, the last one", sandbox: "Id of its sandbox" };
const exit = {
  exitCode: "Of the life before; null: it was ended by a signal",
  signal: "That ended the life before, or null",
};

/** Every kind of event of the platform. docs/events.md is generated from this table. */
export const eventCatalogue = {
  function_created: {
    severity: "info",
    text: "{function} was created",
    fields: { revision, driver: "Isolation technology", key },
  },
  function_deployed: {
    severity: "info",
    text: "revision {revision} of {function} is live",
    fields: { revision, driver: "Isolation technology", reason: "`code` or `settings`", key },
  },
  function_rolled_back: {
    severity: "warn",
    text: "{function} was rolled back to revision {revision}",
    fields: { revision, key },
  },
  function_deleted: { severity: "warn", text: "{function} was deleted", fields: { key } },
  key_created: {
    severity: "info",
    text: "the key {id} was made",
    fields: { id: "Id of the key", scopes: "What it may do", key },
  },
  key_revoked: {
    severity: "warn",
    text: "the key {id} was revoked",
    fields: { id: "Id of the key", key },
  },
  scaled_up: {
    severity: "info",
    text: "{function} got {count} more sandboxes and has {sandboxes}",
    fields: { revision, count, sandboxes },
  },
  scaled_down: {
    severity: "info",
    text: "{count} sandboxes of {function} ended ({reason}); it has {sandboxes}",
    fields: {
      revision,
      reason: "`idle`, `replaced`, `deleted`, `timeout`, `crash` ...",
      count,
      sandboxes,
    },
  },
  sandboxes_evicted: {
    severity: "warn",
    text: "{count} idle sandboxes of {function} were ended because memory was needed; it has {sandboxes}",
    fields: { revision, count, sandboxes },
  },
  sandbox_timed_out: {
    severity: "warn",
    text: "{function} ran too long ({count} times); its sandbox was killed",
    fields: {
      ...{ revision, count, ...lastCall },
      killMs: "From the decision until nothing of it ran; null: not seen",
    },
  },
  sandbox_out_of_memory: {
    severity: "warn",
    text: "{function} reached its memory limit ({count} times); its sandbox was killed",
    fields: { revision, count, ...lastCall },
  },
  sandbox_crashed: {
    severity: "warn",
    text: "a sandbox of {function} ended under a call ({count} times): {message}",
    fields: { revision, count, ...lastCall, message: "How the last one ended" },
  },
  sandbox_start_failed: {
    severity: "warn",
    text: "a sandbox of {function} did not start ({count} times): {message}",
    fields: { revision, count, code: "Of the error catalogue", message: "Of the last one" },
  },
  driver_available: {
    severity: "info",
    text: "the driver {driver} can run",
    fields: { driver: "Its name", tier: "Isolation that it gives" },
  },
  driver_unavailable: {
    severity: "error",
    text: "the driver {driver} can no longer run: {reason}",
    fields: { driver: "Its name", reason: "What keeps it from running" },
  },
  swept: {
    severity: "warn",
    text: "{count} sandboxes that nobody owned were removed ({driver})",
    fields: { driver: "Its name", count: "How many" },
  },
  gateway_started: {
    severity: "info",
    text: "the gateway has started, with the drivers {drivers}",
    fields: { pid: "Of its process", drivers: "That can run" },
  },
  gateway_restarted: {
    severity: "error",
    text: "the gateway ended and was started again, with the drivers {drivers}",
    fields: { pid: "Of its process", drivers: "That can run", ...exit },
  },
  control_started: {
    severity: "info",
    text: "the control plane has started",
    fields: { pid: "Of its process" },
  },
  control_restarted: {
    severity: "error",
    text: "the control plane ended and was started again",
    fields: { pid: "Of its process", ...exit },
  },
  keeper_restarted: {
    severity: "error",
    text: "the keeper ended with its sandboxes ({how}) and was started again",
    fields: { how: "Its signal or exit code" },
  },
  records_lost: {
    severity: "error",
    text: "records had to be dropped: {invocations} of calls, {logs} log lines, {events} events",
    fields: {
      invocations: "Records of calls",
      logs: "Log lines",
      events: "Events",
    },
  },
  traces_lost: {
    severity: "warn",
    text: "spans of {calls} calls did not reach the collector: {reason}",
    fields: {
      calls: "Whose spans were lost since this was last told",
      reason: "Of the last of them",
    },
  },
  schedule_failed: {
    severity: "error",
    text: "the run of {schedule} of {function} that was due at {due} failed ({outcome}): {message}",
    fields: {
      ...{ schedule, due: "The moment that it was for", invocation: "Id of the call" },
      outcome: "Of the call",
      code: "Of the error catalogue",
      message: "Of the failure",
    },
  },
  schedule_skipped: {
    severity: "warn",
    text: "{schedule} of {function} was due at {due} and left out, as the run before goes on",
    fields: { schedule, due: "The moment", invocation: "Id of the call that goes on" },
  },
  schedule_missed: {
    severity: "warn",
    text: "{count} due moments of {schedule} of {function} were missed, the first at {due}",
    fields: { schedule, count: "How many; 100: so many or more", due: "The first of them" },
  },
} as const satisfies Record<string, EventSpec>;

export type EventKind = keyof typeof eventCatalogue;
export const eventKinds = Object.keys(eventCatalogue) as EventKind[];

type FieldsOf<K extends EventKind> = Record<
  keyof (typeof eventCatalogue)[K]["fields"],
  EventFields[string]
>;

/** Something that happened to the platform. */
export interface PlatformEvent {
  kind: EventKind;
  /** Unix ms. */
  at: number;
  /** null: of no project, and of no function. */
  project: string | null;
  functionName: string | null;
  fields: EventFields;
}

/** Whose event it is. */
export interface EventOwner {
  project: string;
  name: string;
}

/** Takes what happened; never waits and never fails. */
export interface EventSink {
  add(event: PlatformEvent): void;
}

const TEXT_CHARS_MAX = 1000;

/** An event of a kind, with every field that the catalogue names. Long texts are cut. */
export function eventOf<K extends EventKind>(
  kind: K,
  at: number,
  fields: FieldsOf<K>,
  owner: EventOwner | null = null,
): PlatformEvent {
  const kept: EventFields = {};
  for (const [name, value] of Object.entries(fields) as [string, EventFields[string]][])
    kept[name] = typeof value === "string" ? value.slice(0, TEXT_CHARS_MAX) : value;
  return {
    ...{ kind, at, fields: kept },
    ...{ project: owner?.project ?? null, functionName: owner?.name ?? null },
  };
}

/** What an event says to people. */
export function eventText({ kind, functionName, fields }: PlatformEvent): string {
  return eventCatalogue[kind].text.replace(/\{(\w+)\}/g, (_, name: string) =>
    String(name === "function" ? functionName : (fields[name] ?? "?")),
  );
}

/** `severity` and everything above it. */
export function severitiesFrom(severity: Severity): Severity[] {
  return severities.slice(severities.indexOf(severity));
}
