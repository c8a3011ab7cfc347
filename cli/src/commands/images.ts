import type { ImageEvent, ImageView } from "@isola/api/images";
import { type Command, type Context, type Result, usageFailure } from "../command.ts";

export const imagesCommand: Command = {
  usage: "images [action] [runtime]",
  summary:
    "Images of sandboxes in the Docker Engine: list them, build what is missing, prune what is outdated",
  options: [
    {
      flags: "--offline",
      help: "build: make the bases of packages of the server's Debian, where there is no registry",
    },
    { flags: "--fresh", help: "build: make base and image anew though they are there" },
  ],
  async run(context, [action = "list", runtime], { offline, fresh }) {
    if (action === "build") {
      const asked = {
        ...(runtime !== undefined && { runtime }),
        ...(offline === true && { offline: true }),
        ...(fresh === true && { fresh: true }),
      };
      const { client, signal } = context;
      return builtImages(context, client.buildImages(asked, { signal }));
    }
    if (action !== "list" && action !== "prune")
      throw usageFailure(`images takes list, build or prune, given: ${action}`);
    if (runtime !== undefined || offline === true || fresh === true)
      throw usageFailure(`images ${action} takes no runtime, --offline or --fresh; build does`);
    return action === "list" ? list(context) : prune(context);
  },
};

/** Follows a build to its end, with the progress beside the result. */
export async function builtImages(
  context: Context,
  events: AsyncIterable<ImageEvent>,
): Promise<Result> {
  const images: Extract<ImageEvent, { type: "image" }>[] = [];
  for await (const event of events) {
    if (event.type === "progress") context.note(`${event.runtime}: ${event.text}`);
    if (event.type === "image") images.push(event);
  }
  const lines = images.map(
    ({ runtime, reference, wasBuilt }) =>
      `${runtime}: ${reference} ${wasBuilt ? "built" : "was there"}`,
  );
  const items = images.map(({ type: _type, ...image }) => image);
  return { json: { items }, text: lines.join("\n") || "There is no runtime on this machine." };
}

async function list({ client, signal }: Context): Promise<Result> {
  const { items } = await client.listImages({ signal });
  return { json: { items }, text: items.map(shown).join("\n") || "No images." };
}

function shown({ runtime, reference, id, state, bytes, base }: ImageView): string {
  const name = reference ?? id ?? "";
  const size = bytes === null ? "" : `, ${Math.round(bytes / 1_000_000)} MB`;
  return `${runtime}: ${name} ${state}${size}${base === null ? "" : `, of ${base}`}`;
}

async function prune({ client, signal }: Context): Promise<Result> {
  const pruned = await client.pruneImages({ signal });
  const lines = [
    ...pruned.removed.map((reference) => `removed ${reference}`),
    ...pruned.kept.map(({ reference, reason }) => `kept ${reference}: ${reason}`),
  ];
  return { json: pruned, text: lines.join("\n") || "Nothing is outdated." };
}
