import { BuildImages, ImageEvent, ImagePage, PrunedImages } from "@isola/api/images";
import { UnsafeHeaders } from "@isola/api/headers";
import type { ListedImage } from "../images/list-images.ts";
import { type ControlApp, type ControlContext, answers } from "./context.ts";
import { resolveRuntime } from "./machine-choice.ts";

const tags = ["machine"];
const LINES = "application/x-ndjson";

export function registerImages(app: ControlApp, context: ControlContext): void {
  const { facts, imageWork } = context;
  app.get(
    "/api/v1/images",
    {
      config: { policy: { scope: "read", reach: "shared" } },
      schema: {
        tags,
        summary: "Images of sandboxes in the Docker Engine, and which are missing or outdated",
        response: answers({ 200: ImagePage }),
      },
    },
    async () => {
      const { runtimes } = await facts.known();
      const images = await (await imageWork.images()).list(runtimes);
      return { items: images.map(viewOf), nextCursor: null };
    },
  );
  app.delete(
    "/api/v1/images",
    {
      config: { policy: { scope: "admin", reach: "server" } },
      schema: {
        tags,
        summary: "Remove outdated images, but for those that containers are made of",
        headers: UnsafeHeaders,
        response: answers({ 200: PrunedImages }),
      },
    },
    async () => {
      const { runtimes } = await facts.known();
      return (await imageWork.images()).prune(runtimes);
    },
  );
  registerBuild(app, context);
}

function registerBuild(app: ControlApp, { facts, imageWork }: ControlContext): void {
  app.post(
    "/api/v1/images",
    {
      config: { policy: { scope: "admin", reach: "server" }, isRepeatable: true },
      schema: {
        tags,
        summary: "Build the images of sandboxes that are missing, and tell how it goes",
        description: `Answers at once with lines of JSON (\`${LINES}\`), one event each; the last one is \`done\` or \`error\`. What has been built is left alone, so the call may be repeated.`,
        body: BuildImages,
        response: answers({
          200: {
            description: "Events as they happen",
            content: { [LINES]: { schema: ImageEvent } },
          },
        }),
      },
    },
    async (request, reply) => {
      const { runtime, offline = false, fresh = false } = request.body;
      const { runtimes } = await facts.known();
      const name = runtime === undefined ? null : resolveRuntime(runtime, runtimes);
      const lines = await imageWork.build({
        runtimes: runtimes.filter((one) => name === null || one.name === name),
        isOffline: offline,
        isFresh: fresh,
        requestId: request.id,
      });
      return reply.type(LINES).send(lines as never);
    },
  );
}

function viewOf({ createdAtMs, ...image }: ListedImage) {
  const createdAt = createdAtMs === null ? null : new Date(createdAtMs).toISOString();
  return { ...image, createdAt };
}
