import Type, { type Static } from "typebox";
import { NAME_PATTERN, eventKinds, severities } from "./limits.ts";
import { projectsMembers } from "./projects.ts";
import { closed, moment, nullable, oneOf, pageMembers, placedPageOf, unixMs } from "./shapes.ts";

/** Something that happened to the platform; docs/events.md has every kind. */
export const EventView = closed(
  {
    id: Type.String({ description: "Grows in the order of arrival; for `Last-Event-ID`" }),
    at: moment("When it happened"),
    kind: oneOf(eventKinds),
    severity: oneOf(severities),
    functionName: nullable(Type.String()),
    message: Type.String({ description: "In words" }),
    fields: Type.Unsafe<Record<string, string | number | boolean | null>>({
      type: "object",
      additionalProperties: {},
      description: "Texts, numbers and null, as docs/events.md has them for the kind",
    }),
  },
  "Event",
);
export type EventView = Static<typeof EventView>;

export const EventListQuery = closed({
  ...projectsMembers,
  kind: Type.Optional(
    Type.Array(oneOf(eventKinds), {
      maxItems: 32,
      description: "Repeated, any of them",
    }),
  ),
  function: Type.Optional(Type.String({ pattern: NAME_PATTERN })),
  severity: Type.Optional(oneOf(severities, "At least")),
  since: unixMs("Unix time in ms, inclusive"),
  until: unixMs("Unix time in ms, exclusive"),
  order: Type.Optional(
    oneOf(["oldest", "newest"], "What comes first; a cursor may be followed in either order"),
  ),
  ...pageMembers,
});
export type EventListQuery = Static<typeof EventListQuery>;

export const EventPage = placedPageOf(EventView, "EventPage");
