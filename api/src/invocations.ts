import Type, { type Static } from "typebox";
import { NAME_PATTERN, driverNames, httpMethods, outcomes, startKinds } from "./limits.ts";
import { LogView } from "./logs.ts";
import { projectMember, projectsMembers } from "./projects.ts";
import { closed, integer, moment, nullable, oneOf, pageMembers, pageOf, unixMs } from "./shapes.ts";

const Header = Type.Unsafe<[string, string]>({
  type: "array",
  items: { type: "string" },
  minItems: 2,
  maxItems: 2,
});
const startKind = oneOf(["cold", "restored", "prewarmed", "warm"], "How the sandbox came to be");

export const InvokeRequest = closed({
  method: Type.Optional(oneOf(httpMethods, "Left out: GET, or POST with a body")),
  path: Type.Optional(
    Type.String({
      pattern: "^/[!-~]*$",
      maxLength: 8192,
      description: "Path and query as the function shall see them; left out: `/`",
    }),
  ),
  headers: Type.Optional(Type.Array(Header, { maxItems: 100 })),
  body: Type.Optional(Type.String({ description: "Text" })),
  bodyBase64: Type.Optional(Type.String({ description: "Bytes, instead of `body`" })),
});

/** Exactly one of the two: an event for a Lambda-style handler, or an HTTP request for any kind. */
export const Invoke = closed(
  {
    event: Type.Optional(Type.Unknown({ description: "Any JSON value" })),
    request: Type.Optional(InvokeRequest),
  },
  "Invoke",
);
export type Invoke = Static<typeof Invoke>;

const milliseconds = (description: string) => nullable(Type.Number(), description);
const phaseMembers = {
  queueMs: Type.Number({ description: "Admission until a sandbox was assigned or a start began" }),
  startMs: milliseconds("Start of the sandbox; 0 with a blank one"),
  initMs: milliseconds("Loading of the code"),
  runMs: milliseconds("Event sent until the end of the response"),
};

const invokedError = closed({
  code: Type.String(),
  message: Type.String(),
  type: nullable(Type.String()),
  stack: nullable(Type.String()),
});

export const Invoked = closed(
  {
    id: Type.String(),
    revision: Type.Integer(),
    outcome: oneOf(outcomes),
    error: nullable(invokedError),
    status: Type.Integer(),
    headers: Type.Array(Header),
    body: nullable(Type.String(), "The response as text; null where it is not UTF-8"),
    bodyBase64: nullable(Type.String(), "The response where it is not UTF-8"),
    startKind: nullable(startKind),
    phases: closed(phaseMembers),
    logs: Type.Array(LogView),
  },
  "Invoked",
);
export type Invoked = Static<typeof Invoked>;

const { runMs: _run, ...startPhaseMembers } = phaseMembers;

export const Warmed = closed(
  {
    revision: Type.Integer(),
    startKind: nullable(startKind, "`warm`: one was ready; null: there is none"),
    sandboxId: nullable(Type.String()),
    phases: closed(startPhaseMembers),
    error: nullable(invokedError, "Why there is none"),
  },
  "Warmed",
);
export type Warmed = Static<typeof Warmed>;

const invocationMembers = {
  id: Type.String(),
  project: Type.String(),
  functionName: Type.String(),
  revision: Type.Integer(),
  driver: Type.String(),
  runtime: Type.String(),
  startKind: nullable(startKind),
  sandboxId: nullable(Type.String()),
  outcome: oneOf(outcomes),
  errorCode: nullable(Type.String()),
  errorMessage: nullable(Type.String()),
  status: Type.Integer({ description: "What the caller got; 0: no one was left to answer" }),
  method: Type.String({ description: "Empty: it was an event" }),
  path: Type.String({ description: "`schedule:nightly`: the event of that schedule" }),
  startedAt: moment("Admission"),
  totalMs: Type.Number(),
  ...phaseMembers,
  requestBytes: Type.Integer(),
  responseBytes: Type.Integer(),
  responseMs: milliseconds(
    "The last part of `runMs`: head of the answer until its end; 0: it came in one piece",
  ),
  memoryMiB: nullable(Type.Integer(), "Of the revision"),
  gbSeconds: nullable(Type.Number(), "`memoryMiB` (as GiB) times `initMs` and `runMs` (as s)"),
  cpuMs: nullable(
    Type.Number(),
    "CPU time of its sandbox, with start and init where it was the first; null: it was not alone in there between two readings",
  ),
  memoryPeakBytes: nullable(
    Type.Integer(),
    "The most that its sandbox had held by the end of the call; null: not read",
  ),
  killMs: nullable(
    Type.Number(),
    "From the decision to kill its sandbox until nothing of that was left; null: not killed, or not seen",
  ),
  traceId: nullable(
    Type.String(),
    "32 hex digits; null: tracing was off, or the trace began with the call and was not sampled",
  ),
  spanId: nullable(Type.String(), "Of the call's span, 16 hex digits; null: it was not sampled"),
};

export const InvocationView = closed(invocationMembers, "Invocation");
export type InvocationView = Static<typeof InvocationView>;
export const InvocationWithLogs = closed(
  { ...invocationMembers, logs: Type.Array(LogView) },
  "InvocationWithLogs",
);
export type InvocationWithLogs = Static<typeof InvocationWithLogs>;
export const InvocationPage = pageOf(InvocationView, "InvocationPage");
export const InvocationParams = closed({ id: Type.String({ maxLength: 128 }) });

const invocationFilters = {
  ...projectMember,
  outcome: Type.Optional(
    Type.Array(oneOf(outcomes), {
      maxItems: outcomes.length,
      description: "Repeated, any of them",
    }),
  ),
  startKind: Type.Optional(oneOf(startKinds, "`none`: it never reached a sandbox")),
  driver: Type.Optional(oneOf(driverNames)),
  minDurationMs: Type.Optional(
    integer({ least: 0, most: 86_400_000 }, "Only calls that took at least this long in all"),
  ),
  traceId: Type.Optional(
    Type.String({ pattern: "^[0-9a-f]{32}$", description: "Only calls of this trace" }),
  ),
  since: unixMs("Unix time in ms, inclusive"),
  until: unixMs("Unix time in ms"),
  ...pageMembers,
};

/** Of one function. */
export const InvocationListQuery = closed(invocationFilters);
export type InvocationListQuery = Static<typeof InvocationListQuery>;

/** Of all functions of a project, or of all projects. */
export const AllInvocationsQuery = closed({
  function: Type.Optional(Type.String({ pattern: NAME_PATTERN })),
  ...invocationFilters,
  ...projectsMembers,
});
export type AllInvocationsQuery = Static<typeof AllInvocationsQuery>;
