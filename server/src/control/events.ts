import { EventListQuery, EventPage, type EventView } from "@isola/api/events";
import type { FastifyRequest } from "fastify";
import {
  type EventKind,
  eventCatalogue,
  eventKinds,
  eventText,
  severitiesFrom,
} from "../domain/events.ts";
import type { EventFilter, StoredEvent, StoredRecords } from "../store/store.ts";
import { type ControlApp, type ControlContext, answers, pageAsked } from "./context.ts";
import { wantsStream } from "./event-stream.ts";
import { isoTime } from "./function-view.ts";
import { callerOf, projectsOf } from "./request-policy.ts";
import { answerTail, checkTailQuery } from "./tail.ts";

/** Events that a tail which goes on looks back. */
const BEHIND_EVENTS_MAX = 10_000;

const kind = {
  name: "event",
  of: ({ events }: StoredRecords) => events,
  show: (event: StoredEvent) => JSON.stringify(eventView(event)),
};

export function registerEvents(app: ControlApp, { store, tails }: ControlContext): void {
  app.get(
    "/api/v1/events",
    {
      config: { policy: { scope: "read", reach: "project" } },
      schema: {
        tags: ["events"],
        summary: "List or watch what happened to the platform, newest first",
        description:
          "With `Accept: text/event-stream` a live tail: server-sent events `event`, `dropped` and `end`, as of logs.",
        querystring: EventListQuery,
        response: answers({ 200: EventPage }),
      },
    },
    async (request, reply) => {
      const filter = filterOf(request);
      if (wantsStream(request)) {
        checkTailQuery(request.query);
        const behind = (seq: number) =>
          store.eventsBehind(filter, { seq, eventsMax: BEHIND_EVENTS_MAX });
        const wants = matcher(filter);
        return answerTail(request, reply, { tails, kind, wants, behind }) as never;
      }
      const newestFirst = request.query.order !== "oldest";
      const page = await store.listEvents({ ...filter, newestFirst, ...pageAsked(request.query) });
      return { ...page, items: page.items.map(eventView) };
    },
  );
}

function filterOf(request: FastifyRequest): EventFilter {
  const query = request.query as EventListQuery;
  const { since, until } = query;
  const kinds = kindsOf(query);
  return {
    project: projectsOf(request),
    // What happens to the server as a whole is not for keys of one project.
    isItsOwn: callerOf(request).project !== null,
    ...(query.function !== undefined && { functionName: query.function }),
    ...(kinds !== undefined && { kinds }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
}

/** Undefined: all. */
function kindsOf({ kind, severity }: EventListQuery): EventKind[] | undefined {
  if (kind === undefined && severity === undefined) return undefined;
  const wanted = severitiesFrom(severity ?? "info");
  const named = kind ?? eventKinds;
  return named.filter((name) => wanted.includes(eventCatalogue[name].severity));
}

function matcher({
  project,
  isItsOwn,
  functionName,
  kinds,
}: EventFilter): (event: StoredEvent) => boolean {
  return (event) =>
    (project === null ||
      event.project === project ||
      (event.project === null && isItsOwn !== true)) &&
    (functionName === undefined || event.functionName === functionName) &&
    (kinds === undefined || kinds.includes(event.kind));
}

function eventView(event: StoredEvent): EventView {
  const { seq, at, kind, functionName, fields } = event;
  return {
    id: String(seq),
    at: isoTime(at),
    kind,
    severity: eventCatalogue[kind].severity,
    functionName,
    message: eventText(event),
    fields,
  };
}
