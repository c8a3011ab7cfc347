import Type, { type Static } from "typebox";
import {
  NAME_PATTERN,
  afterResponses,
  driverNames,
  httpMethods,
  networks,
  onDisconnects,
  requestLimits,
  scalingLimits,
  settingLimits,
  streamLimits,
} from "./limits.ts";
import { closed, integer, nullable, oneOf, textByName } from "./shapes.ts";

export const Route = closed({
  methods: Type.Optional(
    Type.Array(oneOf(httpMethods), { description: "Empty or left out: every method" }),
  ),
  path: Type.String({
    description: "`/users/:id`, `/files/*`: literal segments, `:name`, and `*` at the end",
  }),
});
export type Route = Static<typeof Route>;

const numbers = {
  memoryMiB: integer(settingLimits.memoryMiB, "Memory of one sandbox"),
  tmpMiB: integer(settingLimits.tmpMiB, "Size of /tmp, counted in the memory"),
  timeoutMs: integer(settingLimits.timeoutMs, "Longest run of one invocation"),
  initTimeoutMs: integer(settingLimits.initTimeoutMs, "Longest start and loading of the code"),
  queueTimeoutMs: integer(settingLimits.queueTimeoutMs, "Longest wait for a sandbox"),
  concurrency: integer(settingLimits.concurrency, "Invocations at once in one sandbox"),
  minSandboxes: integer(settingLimits.minSandboxes, "Sandboxes kept warm"),
  maxSandboxes: integer(settingLimits.maxSandboxes, "Sandboxes at most"),
  timeoutGraceMs: integer(
    settingLimits.timeoutGraceMs,
    "From the deadline, when the caller is answered and the code is told, to the kill",
  ),
};

const idleTimeoutMs = Type.Union([integer(settingLimits.idleTimeoutMs), Type.Literal("auto")], {
  description:
    "An idle sandbox above `minSandboxes` ends after this; `auto`: as the function's calls have taught, which also starts one ahead of calls that come at even distances",
});

const scaling = {
  concurrencyTarget: nullable(
    integer(scalingLimits.concurrencyTarget),
    "Invocations at once in one sandbox beyond which another is started; null: `concurrency`",
  ),
  reservedConcurrency: nullable(
    integer(scalingLimits.reservedConcurrency),
    "Invocations at once, running and waiting, that this function always has room for, and at most has; null: it shares with others",
  ),
};

const streams = {
  firstByteTimeoutMs: nullable(
    integer(streamLimits.firstByteTimeoutMs),
    "Longest run before the first byte of the body; null: `timeoutMs` alone counts",
  ),
  streamIdleTimeoutMs: nullable(
    integer(streamLimits.streamIdleTimeoutMs),
    "Longest pause between two pieces of a streamed body; null: not bounded",
  ),
  streamTimeoutMs: nullable(
    integer(streamLimits.streamTimeoutMs),
    "Longest run of a call whose body streams, instead of `timeoutMs`; null: `timeoutMs`",
  ),
};

const afterResponse = oneOf(
  afterResponses,
  "Between calls: `freeze` stops the sandbox, `kill` destroys it, `allow` lets it go on for 30 s",
);
const onDisconnect = oneOf(
  onDisconnects,
  "When the caller goes away: `cancel` ends the call, `continue` lets it finish",
);

const network = oneOf(
  networks,
  "`internet`: the code may call out, not to this machine, its neighbours or private addresses; with the driver docker",
);
const buildMembers = {
  dependencies: oneOf(
    ["auto", "none"],
    "`auto` installs what the package's lockfile or requirements name; `none` takes the package as it is",
  ),
  scripts: Type.Boolean({
    description:
      "Whether code of the dependencies may run while they are installed: lifecycle scripts of npm, builds from source of pip",
  }),
  bundle: Type.Boolean({
    description: "JavaScript and TypeScript: bundle the handler's file and all it imports",
  }),
};
/** What is left out has its default. */
const buildAsked = Type.Object(
  {
    dependencies: Type.Optional(buildMembers.dependencies),
    scripts: Type.Optional(buildMembers.scripts),
    bundle: Type.Optional(buildMembers.bundle),
  },
  { additionalProperties: false, description: "What is made of the package when it is deployed" },
);

const handler = Type.String({
  maxLength: requestLimits.handlerCharsMax,
  description: "`file.export`; left out: `index.handler` (nodejs), `app.handler` (python)",
});
const env = textByName(
  `Environment of the code, ${requestLimits.envBytesMax} bytes of names and values in all`,
);

const scheduleMembers = {
  name: Type.String({
    pattern: NAME_PATTERN,
    description: "As names of functions are; no other schedule of the function has it",
  }),
  cron: Type.String({
    minLength: 1,
    maxLength: requestLimits.cronCharsMax,
    description:
      "Minute, hour, day of the month, month, day of the week: `0 3 * * *`, also with `L`, `W`, `#` and names; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`",
  }),
};
const timeZone = {
  minLength: 1,
  maxLength: requestLimits.timeZoneCharsMax,
  description: "By its name, `Europe/Berlin`: that of the clock that `cron` is read on",
};
const enabled = { description: "false: it stays, and never comes due" };
const scheduledEvent = Type.Optional(
  Type.Unknown({
    description:
      "What the function gets, any JSON value; left out: a scheduled event as EventBridge sends it, with the due moment as `time`. Everyone who may read the function sees it",
  }),
);

const schedulesAsked = Type.Array(
  closed({
    ...scheduleMembers,
    timeZone: Type.Optional(Type.String({ ...timeZone, default: "UTC" })),
    event: scheduledEvent,
    enabled: Type.Optional(Type.Boolean({ ...enabled, default: true })),
  }),
  {
    maxItems: requestLimits.schedulesMax,
    description: "When the function is called by the server itself",
  },
);

/** Settings as a person gives them; each may be left out. A change of any of them makes a revision. */
export const settingMembers = {
  handler: Type.Optional(handler),
  route: Type.Optional(nullable(Route, "null: only `/<name>` and what lies below it")),
  driver: Type.Optional(oneOf(driverNames, "Isolation technology")),
  memoryMiB: Type.Optional(numbers.memoryMiB),
  tmpMiB: Type.Optional(numbers.tmpMiB),
  timeoutMs: Type.Optional(numbers.timeoutMs),
  initTimeoutMs: Type.Optional(numbers.initTimeoutMs),
  queueTimeoutMs: Type.Optional(numbers.queueTimeoutMs),
  concurrency: Type.Optional(numbers.concurrency),
  minSandboxes: Type.Optional(numbers.minSandboxes),
  maxSandboxes: Type.Optional(numbers.maxSandboxes),
  concurrencyTarget: Type.Optional(scaling.concurrencyTarget),
  reservedConcurrency: Type.Optional(scaling.reservedConcurrency),
  idleTimeoutMs: Type.Optional(idleTimeoutMs),
  timeoutGraceMs: Type.Optional(numbers.timeoutGraceMs),
  firstByteTimeoutMs: Type.Optional(streams.firstByteTimeoutMs),
  streamIdleTimeoutMs: Type.Optional(streams.streamIdleTimeoutMs),
  streamTimeoutMs: Type.Optional(streams.streamTimeoutMs),
  afterResponse: Type.Optional(afterResponse),
  onDisconnect: Type.Optional(onDisconnect),
  network: Type.Optional(network),
  schedules: Type.Optional(schedulesAsked),
  build: Type.Optional(buildAsked),
  env: Type.Optional(env),
  exposeErrors: Type.Optional(
    Type.Boolean({ description: "Whether callers see the function's own error text and stack" }),
  ),
};

export const runtimeAsked = Type.String({
  maxLength: 64,
  description: "`nodejs` or `python` (the newest installed), or one by its name, `nodejs26`",
});

/** What does not make a revision. */
export const metadataMembers = {
  description: Type.Optional(
    Type.String({ maxLength: requestLimits.descriptionCharsMax, description: "For people" }),
  ),
  labels: Type.Optional(
    textByName("Names and values as Kubernetes labels", {
      maxProperties: requestLimits.labelsMax,
    }),
  ),
};

/** Settings as a revision keeps them, every default filled in. */
export const resolvedMembers = {
  runtime: Type.String({ description: "Resolved: `nodejs26`, `python3.11`" }),
  handler,
  route: nullable(closed({ methods: Type.Array(oneOf(httpMethods)), path: Type.String() })),
  driver: oneOf(driverNames),
  ...numbers,
  ...scaling,
  idleTimeoutMs,
  ...streams,
  afterResponse,
  onDisconnect,
  network,
  schedules: Type.Array(
    closed({
      ...scheduleMembers,
      timeZone: Type.String(timeZone),
      event: scheduledEvent,
      enabled: Type.Boolean(enabled),
    }),
  ),
  build: closed(buildMembers),
  env: Type.Unsafe<Record<string, string | null>>({
    type: "object",
    additionalProperties: { type: ["string", "null"] },
    description: "Values are null for keys that may only read",
  }),
  exposeErrors: Type.Boolean(),
};
