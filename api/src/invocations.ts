import Type, { type Static } from "typebox";
import { NAME_PATTERN, httpMethods, outcomes } from "./limits.ts";
import { closed, integer, moment, nullable, oneOf, pageMembers, pageOf } from "./shapes.ts";

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

export const LogView = closed(
  {
    at: moment("When it was written"),
    invocationId: nullable(Type.String()),
    revision: Type.Integer(),
    sandboxId: Type.String(),
    stream: oneOf(["stdout", "stderr"]),
    level: oneOf(["none", "trace", "debug", "info", "warn", "error", "fatal"]),
    text: Type.String({ description: "As written: data, never to be interpreted" }),
    truncated: Type.Boolean(),
  },
  "Log",
);
export type LogView = Static<typeof LogView>;

export const Invoked = closed(
  {
    id: Type.String(),
    revision: Type.Integer(),
    outcome: oneOf(outcomes),
    error: nullable(
      closed({
        code: Type.String(),
        message: Type.String(),
        type: nullable(Type.String()),
        stack: nullable(Type.String()),
      }),
    ),
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

const invocationMembers = {
  id: Type.String(),
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
  method: Type.String(),
  path: Type.String(),
  startedAt: moment("Admission"),
  totalMs: Type.Number(),
  ...phaseMembers,
  requestBytes: Type.Integer(),
  responseBytes: Type.Integer(),
  killMs: nullable(
    Type.Number(),
    "From the decision to kill its sandbox until nothing of that was left; null: not killed, or not seen",
  ),
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

const unixMs = (description: string) =>
  Type.Optional(integer({ least: 0, most: Number.MAX_SAFE_INTEGER }, description));

const invocationFilters = {
  outcome: Type.Optional(oneOf(outcomes)),
  since: unixMs("Unix time in ms, inclusive"),
  until: unixMs("Unix time in ms"),
  ...pageMembers,
};

/** Of one function. */
export const InvocationListQuery = closed(invocationFilters);
export type InvocationListQuery = Static<typeof InvocationListQuery>;

/** Of all functions. */
export const AllInvocationsQuery = closed({
  function: Type.Optional(Type.String({ pattern: NAME_PATTERN })),
  ...invocationFilters,
});
export type AllInvocationsQuery = Static<typeof AllInvocationsQuery>;

export const LogListQuery = closed({
  invocation: Type.Optional(Type.String({ maxLength: 128, description: "Id" })),
  since: unixMs("Unix time in ms, inclusive"),
  contains: Type.Optional(
    Type.String({ maxLength: 200, description: "Case-sensitive part of the text" }),
  ),
  order: Type.Optional(oneOf(["oldest", "newest"], "What comes first; left out: oldest")),
  ...pageMembers,
});
export type LogListQuery = Static<typeof LogListQuery>;
export const LogPage = pageOf(LogView, "LogPage");
