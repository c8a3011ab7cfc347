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
  LogListQuery,
  LogPage,
} from "@isola/api/invocations";
import { type ControlApp, type ControlContext, PROJECT, answers, pageAsked } from "./context.ts";
import { invocationView, invokedView, logView } from "./invocation-view.ts";
import { invokeParams } from "./invoke-params.ts";

const tags = ["invocations"];
const reads = { policy: { scope: "read" } } as const;
/** Queue, start and run at their highest settings, and some time to answer. */
const INVOKE_TIMEOUT_MS = 3 * 900_000 + 10_000;

export function registerInvocations(app: ControlApp, context: ControlContext): void {
  registerInvoke(app, context);
  registerLists(app, context);
  registerOne(app, context);
  registerLogs(app, context);
}

function registerInvoke(app: ControlApp, { store, gateway }: ControlContext): void {
  app.post(
    "/api/v1/functions/:name/invocations",
    {
      config: { policy: { scope: "invoke" } },
      schema: {
        tags,
        summary:
          "Invoke a function; answers with its result, logs and phases, whatever the outcome",
        params: FunctionParams,
        headers: UnsafeHeaders,
        body: Invoke,
        response: answers({ 200: Invoked }),
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      await store.getFunction(PROJECT, name);
      const gone = new AbortController();
      reply.raw.once("close", () => gone.abort());
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(INVOKE_TIMEOUT_MS)]);
      const params = invokeParams(PROJECT, name, request.body);
      return invokedView(await gateway.request("invoke", params, signal));
    },
  );
}

function registerLists(app: ControlApp, { store }: ControlContext): void {
  const list = async (functionName: string | undefined, query: InvocationListQuery) => {
    const { outcome, startKind, driver, minDurationMs, since, until } = query;
    const page = await store.listInvocations({
      project: PROJECT,
      ...(functionName !== undefined && { functionName }),
      ...(outcome !== undefined && { outcome }),
      ...(startKind !== undefined && { startKind }),
      ...(driver !== undefined && { driver }),
      ...(minDurationMs !== undefined && { minDurationMs }),
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
        summary: "List invocations of all functions, newest first",
        querystring: AllInvocationsQuery,
        response,
      },
    },
    async ({ query }) => list(query.function, query),
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
    async ({ params, query }) => {
      await store.getFunction(PROJECT, params.name);
      return list(params.name, query);
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
        response: answers({ 200: InvocationWithLogs }),
      },
    },
    async (request) => {
      const row = await store.getInvocation(PROJECT, request.params.id);
      return { ...invocationView(row), logs: row.logs.map(logView) };
    },
  );
}

function registerLogs(app: ControlApp, { store }: ControlContext): void {
  app.get(
    "/api/v1/functions/:name/logs",
    {
      config: reads,
      schema: {
        tags,
        summary: "List what a function wrote",
        params: FunctionParams,
        querystring: LogListQuery,
        response: answers({ 200: LogPage }),
      },
    },
    async ({ params, query }) => {
      await store.getFunction(PROJECT, params.name);
      const { invocation, since, contains, order = "oldest" } = query;
      const page = await store.listLogs({
        project: PROJECT,
        functionName: params.name,
        ...(invocation !== undefined && { invocationId: invocation }),
        ...(since !== undefined && { since }),
        ...(contains !== undefined && { contains }),
        newestFirst: order === "newest",
        ...pageAsked(query),
      });
      return { items: page.items.map(logView), nextCursor: page.nextCursor };
    },
  );
}
