import { FunctionParams } from "@isola/api/functions";
import { UnsafeHeaders } from "@isola/api/headers";
import {
  AllInvocationsQuery,
  InvocationListQuery,
  InvocationPage,
  InvocationParams,
  InvocationWithLogs,
  Invoke,
  Invoked,
  Warmed,
} from "@isola/api/invocations";
import { ProjectQuery } from "@isola/api/projects";
import { type ControlApp, type ControlContext, answers, pageAsked } from "./context.ts";
import { invocationView, invokedView, warmedView } from "./invocation-view.ts";
import { invokeParams } from "./invoke-params.ts";
import { logView } from "./log-view.ts";
import { projectOf, projectsOf } from "./request-policy.ts";
import { untilGone } from "./until-gone.ts";

const tags = ["invocations"];
const reads = { policy: { scope: "read", reach: "project" } } as const;

export function registerInvocations(app: ControlApp, context: ControlContext): void {
  registerInvoke(app, context);
  registerWarm(app, context);
  registerLists(app, context);
  registerOne(app, context);
}

function registerInvoke(app: ControlApp, { store, gateway }: ControlContext): void {
  app.post(
    "/api/v1/functions/:name/invocations",
    {
      config: { policy: { scope: "invoke", reach: "project" } },
      schema: {
        tags,
        summary:
          "Invoke a function; answers with its result, logs and phases, whatever the outcome",
        params: FunctionParams,
        querystring: ProjectQuery,
        headers: UnsafeHeaders,
        body: Invoke,
        response: answers({ 200: Invoked }),
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const project = projectOf(request);
      await store.getFunction(project, name);
      const signal = untilGone(reply);
      const params = invokeParams({ project, name }, request.body, request.headers);
      return invokedView(await gateway.request("invoke", params, signal));
    },
  );
}

function registerWarm(app: ControlApp, { store, gateway }: ControlContext): void {
  app.post(
    "/api/v1/functions/:name/warm",
    {
      config: { policy: { scope: "invoke", reach: "project" } },
      schema: {
        tags,
        summary: "Have a sandbox load the live revision's code without a call; answers when it has",
        description:
          "Where one is ready already, nothing is started. Code that does not load is told as `error`, with status 200. Nothing is recorded as an invocation.",
        params: FunctionParams,
        querystring: ProjectQuery,
        headers: UnsafeHeaders,
        response: answers({ 200: Warmed }),
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const project = projectOf(request);
      await store.getFunction(project, name);
      return warmedView(await gateway.request("warm", { project, name }, untilGone(reply)));
    },
  );
}

function registerLists(app: ControlApp, { store }: ControlContext): void {
  const list = async (
    project: string | null,
    functionName: string | undefined,
    query: InvocationListQuery,
  ) => {
    const { outcome, startKind, driver, minDurationMs, traceId, since, until } = query;
    const page = await store.listInvocations({
      project,
      ...(functionName !== undefined && { functionName }),
      ...(outcome !== undefined && { outcomes: outcome }),
      ...(startKind !== undefined && { startKind }),
      ...(driver !== undefined && { driver }),
      ...(minDurationMs !== undefined && { minDurationMs }),
      ...(traceId !== undefined && { traceId }),
      ...(since !== undefined && { since }),
      ...(until !== undefined && { until }),
      ...pageAsked(query),
    });
    return { items: page.items.map(invocationView), nextCursor: page.nextCursor };
  };
  const response = answers({ 200: InvocationPage });
  app.get(
    "/api/v1/invocations",
    {
      config: reads,
      schema: {
        tags,
        summary: "List invocations of all functions of a project, or of all projects, newest first",
        querystring: AllInvocationsQuery,
        response,
      },
    },
    async (request) => list(projectsOf(request), request.query.function, request.query),
  );
  app.get(
    "/api/v1/functions/:name/invocations",
    {
      config: reads,
      schema: {
        tags,
        summary: "List invocations of a function, newest first",
        params: FunctionParams,
        querystring: InvocationListQuery,
        response,
      },
    },
    async (request) => {
      const { name } = request.params;
      await store.getFunction(projectOf(request), name);
      return list(projectOf(request), name, request.query);
    },
  );
}

function registerOne(app: ControlApp, { store }: ControlContext): void {
  app.get(
    "/api/v1/invocations/:id",
    {
      config: reads,
      schema: {
        tags,
        summary: "Get an invocation with its logs",
        params: InvocationParams,
        querystring: ProjectQuery,
        response: answers({ 200: InvocationWithLogs }),
      },
    },
    async (request) => {
      const row = await store.getInvocation(projectOf(request), request.params.id);
      return { ...invocationView(row), logs: row.logs.map(logView) };
    },
  );
}
