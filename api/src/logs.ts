import Type, { type Static } from "typebox";
import { NAME_PATTERN, logLevels } from "./limits.ts";
import { projectMember } from "./projects.ts";
import { closed, moment, nullable, oneOf, pageMembers, placedPageOf, unixMs } from "./shapes.ts";

const lineMembers = {
  at: moment("When it was written"),
  invocationId: nullable(Type.String()),
  revision: Type.Integer(),
  sandboxId: Type.String(),
  stream: oneOf(["stdout", "stderr"]),
  level: oneOf(logLevels, "As it was written with, or as the line itself says; `none`: neither"),
  text: Type.String({ description: "As written: data, never to be interpreted" }),
  message: nullable(Type.String(), "What a line of JSON says in `msg` or `message`"),
  truncated: Type.Boolean({ description: "Some of it was dropped" }),
};

/** A line that comes with its invocation. */
export const LogView = closed(lineMembers, "Log");
export type LogView = Static<typeof LogView>;

export const LogLineView = closed(
  {
    id: Type.String({ description: "Grows in the order of arrival; for `Last-Event-ID`" }),
    functionName: Type.String(),
    ...lineMembers,
  },
  "LogLine",
);
export type LogLineView = Static<typeof LogLineView>;

const order = Type.Optional(
  oneOf(["oldest", "newest"], "What comes first; a cursor may be followed in either order"),
);

const logFilters = {
  ...projectMember,
  level: Type.Optional(oneOf(logLevels, "At least")),
  invocation: Type.Optional(Type.String({ maxLength: 128, description: "Id" })),
  sandbox: Type.Optional(Type.String({ maxLength: 128, description: "Id" })),
  stream: Type.Optional(oneOf(["stdout", "stderr"])),
  text: Type.Optional(
    Type.String({ maxLength: 200, description: "Part of the text, in upper or lower case" }),
  ),
  since: unixMs("Unix time in ms, inclusive"),
  until: unixMs("Unix time in ms, exclusive"),
  order,
  ...pageMembers,
};

/** Of one function. */
export const LogListQuery = closed(logFilters);
export type LogListQuery = Static<typeof LogListQuery>;

/** Of all functions. */
export const AllLogsQuery = closed({
  function: Type.Optional(Type.String({ pattern: NAME_PATTERN })),
  ...logFilters,
});
export type AllLogsQuery = Static<typeof AllLogsQuery>;

export const LogPage = placedPageOf(LogLineView, "LogPage");
