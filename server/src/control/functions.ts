import {
  ChangedFunction,
  CreateFunction,
  DeletedFunction,
  FunctionListQuery,
  FunctionPage,
  FunctionParams,
  FunctionView,
  PatchFunction,
} from "@isola/api/functions";
import { ChangeHeaders, UnsafeHeaders } from "@isola/api/headers";
import { requestLimits } from "@isola/api/limits";
import { ProjectQuery } from "@isola/api/projects";
import { DEFAULT_PROJECT } from "../domain/project.ts";
import { buildsAndStreams, withProgress } from "./build-progress.ts";
import { changedAnswer } from "./changed-answer.ts";
import { codeInput } from "./code-input.ts";
import { type ControlApp, type ControlContext, answers, pageAsked, targetOf } from "./context.ts";
import { etagOf, functionView } from "./function-view.ts";
import { callerOf, projectOf, projectsOf } from "./request-policy.ts";
import type { UploadSlots } from "./upload-slots.ts";

const tags = ["functions"];
const reads = { policy: { scope: "read", reach: "project" } } as const;
const deploys = { policy: { scope: "deploy", reach: "project" } } as const;

type Made = Pick<ChangedFunction, "name" | "project">;

export function registerFunctions(
  app: ControlApp,
  context: ControlContext,
  uploads: UploadSlots,
): void {
  registerReads(app, context);
  registerChanges(app, context, uploads);
}

function registerReads(app: ControlApp, { store, settings }: ControlContext): void {
  const { gatewayUrl } = settings;
  app.get(
    "/api/v1/functions",
    {
      config: reads,
      schema: {
        tags,
        summary: "List functions of a project, or of all",
        querystring: FunctionListQuery,
        response: answers({ 200: FunctionPage }),
      },
    },
    async (request) => {
      const { query, label, sort = "name" } = request.query;
      const page = await store.listFunctions({
        project: projectsOf(request),
        ...(query !== undefined && { query }),
        ...(label !== undefined && { labels: label }),
        sort,
        ...pageAsked(request.query),
      });
      const to = { caller: callerOf(request), gatewayUrl };
      const items = page.items.map((row) => functionView(row, row.live, to));
      return { items, nextCursor: page.nextCursor };
    },
  );
  app.get(
    "/api/v1/functions/:name",
    {
      config: reads,
      schema: {
        tags,
        summary: "Get a function",
        params: FunctionParams,
        querystring: ProjectQuery,
        response: answers({ 200: FunctionView }),
      },
    },
    async (request, reply) => {
      const fn = await store.getFunction(projectOf(request), request.params.name);
      const live = await store.getRevision(fn.id, fn.liveRevision);
      reply.header("etag", etagOf(fn));
      return functionView(fn, live, { caller: callerOf(request), gatewayUrl });
    },
  );
}

function locationOf({ name, project }: Made): string {
  const query = project === DEFAULT_PROJECT ? "" : `?project=${project}`;
  return `/api/v1/functions/${name}${query}`;
}

function registerChanges(app: ControlApp, context: ControlContext, uploads: UploadSlots): void {
  const { deployer } = context;
  app.post(
    "/api/v1/functions",
    {
      config: { ...deploys, locationOf: (made) => locationOf(made as Made) },
      bodyLimit: requestLimits.codeBodyBytesMax,
      preParsing: uploads.take,
      schema: {
        tags,
        summary: "Create a function with its first revision",
        description: buildsAndStreams,
        querystring: ProjectQuery,
        headers: UnsafeHeaders,
        body: CreateFunction,
        response: answers({ 201: ChangedFunction }),
      },
    },
    async (request, reply) => {
      const { name, code, ...settings } = request.body;
      const target = targetOf(request, name);
      return withProgress(request, reply, async (progress) => {
        const made = await deployer.create(target, settings, codeInput(code), progress);
        reply.code(201);
        return changedAnswer(context, made, request, reply);
      });
    },
  );
  app.patch(
    "/api/v1/functions/:name",
    {
      config: deploys,
      bodyLimit: requestLimits.codeBodyBytesMax,
      preParsing: uploads.take,
      schema: {
        tags,
        summary: "Change settings, code or both (one new revision), description or labels (none)",
        description: buildsAndStreams,
        params: FunctionParams,
        querystring: ProjectQuery,
        headers: ChangeHeaders,
        body: PatchFunction,
        response: answers({ 200: ChangedFunction }),
      },
    },
    async (request, reply) => {
      const target = targetOf(request, request.params.name);
      return withProgress(request, reply, async (progress) => {
        const { code, ...settings } = request.body;
        const input = code === undefined ? undefined : codeInput(code);
        const changed = await deployer.patch(target, { settings, code: input }, progress);
        return changedAnswer(context, changed, request, reply);
      });
    },
  );
  app.delete(
    "/api/v1/functions/:name",
    {
      config: deploys,
      schema: {
        tags,
        summary: "Delete a function with its revisions",
        params: FunctionParams,
        querystring: ProjectQuery,
        headers: ChangeHeaders,
        response: answers({ 200: DeletedFunction }),
      },
    },
    async (request) => {
      const { name } = request.params;
      return { name, applied: await deployer.delete(targetOf(request, name)) };
    },
  );
}
