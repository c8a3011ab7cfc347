import { FunctionParams } from "@isola/api/functions";
import { AllLogsQuery, LogListQuery, LogPage } from "@isola/api/logs";
import type { FastifyReply, FastifyRequest } from "fastify";
import { levelsFrom } from "../domain/log-level.ts";
import type { LogFilter, StoredLog, StoredRecords } from "../store/store.ts";
import { type ControlApp, type ControlContext, answers, pageAsked } from "./context.ts";
import { wantsStream } from "./event-stream.ts";
import { logLineView } from "./log-view.ts";
import { projectOf } from "./request-policy.ts";
import { answerTail, checkTailQuery } from "./tail.ts";

const tags = ["logs"];
const reads = { policy: { scope: "read", reach: "project" } } as const;
const streams =
  "With `Accept: text/event-stream` a live tail: server-sent events `log` with a line each, `dropped` with a `count` of lines left out because they were not read fast enough, and `end` with a `reason`. `Last-Event-ID` goes on behind that line.";
/** Lines that a tail which goes on looks back. */
const BEHIND_LINES_MAX = 10_000;

export function registerLogs(app: ControlApp, context: ControlContext): void {
  const { store } = context;
  const answer = logAnswers(context);
  app.get(
    "/api/v1/logs",
    {
      config: reads,
      schema: {
        tags,
        summary: "List or watch what functions wrote, by time",
        description: streams,
        querystring: AllLogsQuery,
        response: answers({ 200: LogPage }),
      },
    },
    async (request, reply) => answer(request, reply, request.query),
  );
  app.get(
    "/api/v1/functions/:name/logs",
    {
      config: reads,
      schema: {
        tags,
        summary: "List or watch what a function wrote, by time",
        description: streams,
        params: FunctionParams,
        querystring: LogListQuery,
        response: answers({ 200: LogPage }),
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      await store.getFunction(projectOf(request), name);
      return answer(request, reply, { ...request.query, function: name });
    },
  );
}

function logAnswers({ store, tails }: ControlContext) {
  const kind = { name: "log", of: ({ logs }: StoredRecords) => logs, show: shownOnce() };
  return async (request: FastifyRequest, reply: FastifyReply, query: AllLogsQuery) => {
    const filter = filterOf(projectOf(request), query);
    if (wantsStream(request)) {
      checkTailQuery(request.query as object);
      const wants = matcher(filter);
      const behind = (seq: number) => store.logsBehind(filter, { seq, linesMax: BEHIND_LINES_MAX });
      return answerTail(request, reply, { tails, kind, wants, behind }) as never;
    }
    const newestFirst = query.order === "newest";
    const page = await store.listLogs({ ...filter, newestFirst, ...pageAsked(query) });
    return { ...page, items: page.items.map(logLineView) };
  };
}

function filterOf(project: string, query: AllLogsQuery): LogFilter {
  const { level, invocation, sandbox, stream, text, since, until } = query;
  return {
    project,
    ...(query.function !== undefined && { functionName: query.function }),
    ...(invocation !== undefined && { invocationId: invocation }),
    ...(sandbox !== undefined && { sandboxId: sandbox }),
    ...(level !== undefined && level !== "none" && { levels: levelsFrom(level) }),
    ...(stream !== undefined && { stream }),
    ...(text !== undefined && { text }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
}

/** What the store finds with the same filter. */
function matcher(filter: LogFilter): (line: StoredLog) => boolean {
  const { functionName, invocationId, sandboxId, levels, stream } = filter;
  const text = filter.text?.toLowerCase();
  return (line) =>
    line.project === filter.project &&
    (functionName === undefined || line.functionName === functionName) &&
    (invocationId === undefined || line.invocationId === invocationId) &&
    (sandboxId === undefined || line.sandboxId === sandboxId) &&
    (levels === undefined || levels.includes(line.level)) &&
    (stream === undefined || line.stream === stream) &&
    (text === undefined || line.text.toLowerCase().includes(text));
}

/** A line is made JSON once, however many tails show it. */
function shownOnce(): (line: StoredLog) => string {
  const known = new WeakMap<StoredLog, string>();
  return (line) => {
    let shown = known.get(line);
    if (shown === undefined) {
      shown = JSON.stringify(logLineView(line));
      known.set(line, shown);
    }
    return shown;
  };
}
