import { BuildGuests, GuestPage, PrunedGuests } from "@isola/api/guests";
import { UnsafeHeaders } from "@isola/api/headers";
import { ImageEvent } from "@isola/api/images";
import { type ControlApp, type ControlContext, answers } from "./context.ts";
import { resolveRuntime } from "./machine-choice.ts";

const tags = ["machine"];
const LINES = "application/x-ndjson";
const path = "/api/v1/vm";

export function registerGuests(app: ControlApp, { facts, guestWork }: ControlContext): void {
  app.get(
    path,
    {
      config: { policy: { scope: "read", reach: "shared" } },
      schema: {
        tags,
        summary: "What microVMs are made of on this machine, and what of it is missing or outdated",
        response: answers({ 200: GuestPage }),
      },
    },
    async () => {
      const parts = await guestWork.list();
      const items = parts.map(({ madeAtMs, ...part }) => ({
        ...part,
        madeAt: madeAtMs === null ? null : new Date(madeAtMs).toISOString(),
      }));
      return { items, nextCursor: null };
    },
  );
  app.delete(
    path,
    {
      config: { policy: { scope: "admin", reach: "server" } },
      schema: {
        tags,
        summary: "Remove what microVMs are not made of any more",
        headers: UnsafeHeaders,
        response: answers({ 200: PrunedGuests }),
      },
    },
    async () => ({ removed: await guestWork.prune() }),
  );
  app.delete(
    `${path}/kernel`,
    {
      config: { policy: { scope: "admin", reach: "server" } },
      schema: {
        tags,
        summary: "Remove kernels that were built here, and end a build of one",
        description: "Guests have the distribution's kernel again.",
        headers: UnsafeHeaders,
        response: answers({ 200: PrunedGuests }),
      },
    },
    async () => ({ removed: await guestWork.removeKernels() }),
  );
  app.post(
    path,
    {
      config: { policy: { scope: "admin", reach: "server" }, isRepeatable: true },
      schema: {
        tags,
        summary: "Make what microVMs are made of, where it is missing, and tell how it goes",
        description: `Answers at once with lines of JSON (\`${LINES}\`), one event each; the last one is \`done\` or \`error\`. What has been made is left alone, so the call may be repeated. A caller who goes away ends the build of a kernel, and of nothing else.`,
        body: BuildGuests,
        response: answers({
          200: {
            description: "Events as they happen",
            content: { [LINES]: { schema: ImageEvent } },
          },
        }),
      },
    },
    async (request, reply) => {
      const { runtime, fresh = false, kernel = false } = request.body;
      const { runtimes } = await facts.known();
      const lines = await guestWork.build({
        runtime: runtime === undefined ? null : resolveRuntime(runtime, runtimes),
        isFresh: fresh,
        withKernel: kernel,
        requestId: request.id,
      });
      return reply.type(LINES).send(lines as never);
    },
  );
}
