import { ChangeHeaders, UnsafeHeaders } from "@isola/api/headers";
import {
  CreateProject,
  DeletedProject,
  PatchProject,
  ProjectListQuery,
  ProjectPage,
  ProjectParams,
  ProjectView,
} from "@isola/api/projects";
import { prefixOf } from "../domain/project.ts";
import type { ProjectRow } from "../store/store.ts";
import {
  type ControlApp,
  type ControlContext,
  answers,
  ifVersionOf,
  pageAsked,
} from "./context.ts";
import { etagOf, isoTime } from "./function-view.ts";
import { callerOf, refuseForeign } from "./request-policy.ts";

const tags = ["projects"];
const path = "/api/v1/projects";
const reads = { policy: { scope: "read", reach: "shared" } } as const;
const changes = { policy: { scope: "admin", reach: "server" } } as const;

export function registerProjects(app: ControlApp, context: ControlContext): void {
  registerReads(app, context);
  registerCreate(app, context);
  registerChanges(app, context);
}

function registerReads(app: ControlApp, { store, settings }: ControlContext): void {
  app.get(
    path,
    {
      config: reads,
      schema: {
        tags,
        summary: "List projects; a key of one project sees that alone",
        querystring: ProjectListQuery,
        response: answers({ 200: ProjectPage }),
      },
    },
    async (request) => {
      const { project } = callerOf(request);
      const page =
        project === null
          ? await store.listProjects(pageAsked(request.query))
          : { items: [await store.getProject(project)], nextCursor: null };
      const items = page.items.map((row) => projectView(row, settings.gatewayUrl));
      return { items, nextCursor: page.nextCursor };
    },
  );
  app.get(
    `${path}/:name`,
    {
      config: reads,
      schema: {
        tags,
        summary: "Get a project",
        params: ProjectParams,
        response: answers({ 200: ProjectView }),
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      refuseForeign(callerOf(request), name);
      const row = await store.getProject(name);
      reply.header("etag", etagOf(row));
      return projectView(row, settings.gatewayUrl);
    },
  );
}

function registerCreate(app: ControlApp, { store, settings }: ControlContext): void {
  app.post(
    path,
    {
      config: { ...changes, locationOf: (made) => `${path}/${(made as ProjectView).name}` },
      schema: {
        tags,
        summary: "Make a project",
        headers: UnsafeHeaders,
        body: CreateProject,
        response: answers({ 201: ProjectView }),
      },
    },
    async (request, reply) => {
      const { name, description = "", driver = null } = request.body;
      const row = await store.createProject({ name, description, driver });
      reply.code(201).header("etag", etagOf(row));
      return projectView(row, settings.gatewayUrl);
    },
  );
}

function registerChanges(app: ControlApp, { store, settings }: ControlContext): void {
  app.patch(
    `${path}/:name`,
    {
      config: changes,
      schema: {
        tags,
        summary: "Change a project; its functions stay as they are",
        params: ProjectParams,
        headers: ChangeHeaders,
        body: PatchProject,
        response: answers({ 200: ProjectView }),
      },
    },
    async (request, reply) => {
      const { description, driver } = request.body;
      const change = {
        ...(description !== undefined && { description }),
        ...(driver !== undefined && { driver }),
      };
      const row = await store.updateProject(request.params.name, change, ifVersionOf(request));
      reply.header("etag", etagOf(row));
      return projectView(row, settings.gatewayUrl);
    },
  );
  app.delete(
    `${path}/:name`,
    {
      config: changes,
      schema: {
        tags,
        summary:
          "Delete a project that has neither functions nor keys; its name is not given again",
        params: ProjectParams,
        headers: ChangeHeaders,
        response: answers({ 200: DeletedProject }),
      },
    },
    async (request) => {
      const { name } = request.params;
      await store.deleteProject(name, ifVersionOf(request));
      return { name };
    },
  );
}

function projectView(row: ProjectRow, gatewayUrl: string): ProjectView {
  return {
    name: row.name,
    description: row.description,
    driver: row.driver,
    url: `${gatewayUrl}${prefixOf(row.name)}`,
    createdAt: isoTime(row.createdAt),
    updatedAt: isoTime(row.updatedAt),
    etag: etagOf(row),
  };
}
