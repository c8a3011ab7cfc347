import {
  ComparisonListQuery,
  ComparisonPage,
  ComparisonParams,
  ComparisonView,
  EndedComparison,
  ExportQuery,
  StartComparison,
} from "@isola/api/comparisons";
import { UnsafeHeaders } from "@isola/api/headers";
import { ProjectQuery } from "@isola/api/projects";
import Type from "typebox";
import { csvOf } from "../comparisons/export/csv.ts";
import { markdownOf } from "../comparisons/export/markdown.ts";
import type { DeployedFunction } from "../domain/function.ts";
import { comparisonParameters } from "./comparison-params.ts";
import { comparisonView, summaryView } from "./comparison-view.ts";
import { type ControlApp, type ControlContext, answers, pageAsked } from "./context.ts";
import { projectOf } from "./request-policy.ts";
import { invokeParams } from "./invoke-params.ts";

const tags = ["comparisons"];
const reads = { policy: { scope: "read", reach: "project" } } as const;
const path = "/api/v1/comparisons";

export function registerComparisons(app: ControlApp, context: ControlContext): void {
  registerStart(app, context);
  registerReads(app, context);
  registerExport(app, context);
  registerEnd(app, context);
}

function registerStart(app: ControlApp, context: ControlContext): void {
  const { comparisons, facts } = context;
  app.post(
    path,
    {
      config: {
        policy: { scope: "deploy", reach: "project" },
        locationOf: (answer) => `${path}/${(answer as ComparisonView).id}`,
      },
      schema: {
        tags,
        summary: "Measure a function on several drivers, side by side",
        description:
          "Calls the live revision many times, in sandboxes of its own that no route leads to and that are not recorded. What the function does outside of its sandbox it does each time. One comparison at a time. Without `event` or `request` it is called with `GET /`.",
        querystring: ProjectQuery,
        headers: UnsafeHeaders,
        body: StartComparison,
        response: answers({ 201: ComparisonView }),
      },
    },
    async (request, reply) => {
      const { body } = request;
      const project = projectOf(request);
      const parameters = comparisonParameters(body);
      const fn = await deployed(context, project, body.function);
      const asked = Object.hasOwn(body, "event")
        ? { event: body.event }
        : { request: body.request ?? {} };
      const call = invokeParams({ project, name: fn.name }, asked, {});
      const status = await facts.ask();
      const row = await comparisons.start({ fn, call, parameters, status });
      reply.code(201);
      return comparisonView(row, comparisons.progressOf(row.id));
    },
  );
}

/** The live revision. Rejects with `not_found`. */
async function deployed(
  { store }: ControlContext,
  project: string,
  name: string,
): Promise<DeployedFunction> {
  const { id, liveRevision } = await store.getFunction(project, name);
  const { revision, artifact, layer, settings } = await store.getRevision(id, liveRevision);
  const code = { artifact, ...(layer && { layer }) };
  return { project, name, functionId: id, revision, ...code, settings };
}

function registerReads(app: ControlApp, { store, comparisons }: ControlContext): void {
  app.get(
    path,
    {
      config: reads,
      schema: {
        tags,
        summary: "List comparisons, newest first, without their figures",
        querystring: ComparisonListQuery,
        response: answers({ 200: ComparisonPage }),
      },
    },
    async (request) => {
      const { query } = request;
      const page = await store.listComparisons({
        project: projectOf(request),
        ...(query.function !== undefined && { functionName: query.function }),
        ...pageAsked(query),
      });
      const items = page.items.map((row) => summaryView(row, comparisons.progressOf(row.id)));
      return { items, nextCursor: page.nextCursor };
    },
  );
  app.get(
    `${path}/:id`,
    {
      config: reads,
      schema: {
        tags,
        summary: "Get a comparison: its figures, or how far it is",
        params: ComparisonParams,
        querystring: ProjectQuery,
        response: answers({ 200: ComparisonView }),
      },
    },
    async (request) => {
      const row = await store.getComparison(projectOf(request), request.params.id);
      return comparisonView(row, comparisons.progressOf(row.id));
    },
  );
}

const formats = {
  csv: { type: "text/csv", write: csvOf },
  markdown: { type: "text/markdown", write: markdownOf },
} as const;

function registerExport(app: ControlApp, { store }: ControlContext): void {
  const content = { schema: Type.String() };
  app.get(
    `${path}/:id/export`,
    {
      config: reads,
      schema: {
        tags,
        summary: "Download a comparison as a table",
        params: ComparisonParams,
        querystring: ExportQuery,
        response: answers({
          200: {
            description: "The table",
            content: { "text/csv": content, "text/markdown": content },
          },
        }),
      },
    },
    async (request, reply) => {
      const row = await store.getComparison(projectOf(request), request.params.id);
      const { format = "csv" } = request.query;
      const { type, write } = formats[format];
      const name = `${row.id}.${format === "csv" ? "csv" : "md"}`;
      return reply
        .type(`${type}; charset=utf-8`)
        .header("content-disposition", `attachment; filename="${name}"`)
        .send(write(row) as never);
    },
  );
}

function registerEnd(app: ControlApp, { store, comparisons }: ControlContext): void {
  app.delete(
    `${path}/:id`,
    {
      config: { policy: { scope: "deploy", reach: "project" } },
      schema: {
        tags,
        summary: "Cancel a comparison that runs, or remove one that has ended",
        description: "A cancelled one is answered when nothing of it is left; it is kept.",
        params: ComparisonParams,
        querystring: ProjectQuery,
        headers: UnsafeHeaders,
        response: answers({ 200: EndedComparison }),
      },
    },
    async (request) => {
      const { id } = request.params;
      const project = projectOf(request);
      await store.getComparison(project, id);
      if (await comparisons.cancel(id)) return { id, state: "cancelled" as const };
      await store.deleteComparison(project, id);
      return { id, state: "removed" as const };
    },
  );
}
