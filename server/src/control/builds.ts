import { BuildPage } from "@isola/api/builds";
import { FunctionPageQuery, FunctionParams } from "@isola/api/functions";
import { IsolaError } from "../errors.ts";
import type { BuildRow } from "../store/store.ts";
import { type ControlApp, type ControlContext, answers, pageAsked } from "./context.ts";
import { isoTime } from "./function-view.ts";
import { projectOf } from "./request-policy.ts";

/** Also those of a function that came to nothing by them. */
export function registerBuilds(app: ControlApp, { store }: ControlContext): void {
  app.get(
    "/api/v1/functions/:name/builds",
    {
      config: { policy: { scope: "read", reach: "project" } },
      schema: {
        tags: ["functions"],
        summary: "List the last builds of a function, newest first",
        params: FunctionParams,
        querystring: FunctionPageQuery,
        response: answers({ 200: BuildPage }),
      },
    },
    async (request) => {
      const { name } = request.params;
      const project = projectOf(request);
      const query = { project, functionName: name, ...pageAsked(request.query) };
      const page = await store.listBuilds(query);
      if (page.items.length === 0 && request.query.cursor === undefined)
        await mustExist(store, project, name);
      return { items: page.items.map(buildView), nextCursor: page.nextCursor };
    },
  );
}

async function mustExist(
  store: ControlContext["store"],
  project: string,
  name: string,
): Promise<void> {
  await store.getFunction(project, name).catch((error: unknown) => {
    if (!(error instanceof IsolaError) || error.code !== "not_found") throw error;
    throw new IsolaError("not_found", `there is no function ${name}, nor a build for one`);
  });
}

function buildView(row: BuildRow) {
  return {
    id: row.id,
    state: row.state,
    isCached: row.isCached,
    runtime: row.runtime,
    driver: row.driver,
    message: row.message === "" ? null : row.message,
    output: row.output,
    startedAt: isoTime(row.startedAt),
    endedAt: row.endedAt === null ? null : isoTime(row.endedAt),
  };
}
