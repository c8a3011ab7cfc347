import {
  ChangedFunction,
  FunctionPageQuery,
  FunctionParams,
  RevisionPage,
  Rollback,
} from "@isola/api/functions";
import { ChangeHeaders } from "@isola/api/headers";
import { ProjectQuery } from "@isola/api/projects";
import { changedAnswer } from "./changed-answer.ts";
import { type ControlApp, type ControlContext, answers, pageAsked, targetOf } from "./context.ts";
import { revisionView } from "./function-view.ts";
import { callerOf, projectOf } from "./request-policy.ts";

export function registerRevisions(app: ControlApp, context: ControlContext): void {
  const { store, deployer } = context;
  app.get(
    "/api/v1/functions/:name/revisions",
    {
      config: { policy: { scope: "read", reach: "project" } },
      schema: {
        tags: ["functions"],
        summary: "List the revisions of a function, newest first",
        params: FunctionParams,
        querystring: FunctionPageQuery,
        response: answers({ 200: RevisionPage }),
      },
    },
    async (request) => {
      const fn = await store.getFunction(projectOf(request), request.params.name);
      const page = await store.listRevisions(fn.id, pageAsked(request.query));
      const caller = callerOf(request);
      const items = page.items.map((row) => revisionView(row, fn.liveRevision, caller));
      return { items, nextCursor: page.nextCursor };
    },
  );
  app.post(
    "/api/v1/functions/:name/rollback",
    {
      config: { policy: { scope: "deploy", reach: "project" } },
      schema: {
        tags: ["functions"],
        summary: "Make an earlier revision live",
        params: FunctionParams,
        querystring: ProjectQuery,
        headers: ChangeHeaders,
        body: Rollback,
        response: answers({ 200: ChangedFunction }),
      },
    },
    async (request, reply) => {
      const target = targetOf(request, request.params.name);
      const changed = await deployer.rollback(target, request.body.revision);
      return changedAnswer(context, changed, request, reply);
    },
  );
}
