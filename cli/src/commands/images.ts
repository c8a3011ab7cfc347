import type { ImageEvent, ImageView } from "@isola/api/images";
import { paintStates } from "../colors.ts";
import type { Command, CommandGroup, Context, Result } from "../command.ts";

const runtimeHelp = { help: "left out: every one on the server", completes: "runtime" } as const;

const listCommand: Command = {
  usage: "list",
  summary: "List images with their state: current, missing, outdated",
  json: "`items` of the API",
  async run({ client, signal }) {
    const { items } = await client.listImages({ signal });
    return {
      json: { items },
      text: items.map(shown).join("\n") || "No images.",
      paint: paintStates,
    };
  },
};

const buildCommand: Command = {
  usage: "build [runtime]",
  summary: "Build what is missing, and show how it goes",
  positionals: { runtime: runtimeHelp },
  options: [
    {
      flags: "--offline",
      help: "make the bases of packages of the server's Debian, where there is no registry",
    },
    { flags: "--fresh", help: "make base and image anew though they are there" },
  ],
  json: "`items`: `runtime`, `reference`, `id`, `wasBuilt`",
  async run(context, [runtime], { offline, fresh }) {
    const asked = {
      ...(runtime !== undefined && { runtime }),
      ...(offline === true && { offline: true }),
      ...(fresh === true && { fresh: true }),
    };
    const { client, signal } = context;
    return builtImages(context, client.buildImages(asked, { signal }));
  },
};

const pruneCommand: Command = {
  usage: "prune",
  summary: "Remove outdated images that no container is made of",
  json: "`removed` (references), `kept` (`reference`, `reason`)",
  async run({ client, signal }) {
    const pruned = await client.pruneImages({ signal });
    const lines = [
      ...pruned.removed.map((reference) => `removed ${reference}`),
      ...pruned.kept.map(({ reference, reason }) => `kept ${reference}: ${reason}`),
    ];
    return { json: pruned, text: lines.join("\n") || "Nothing is outdated." };
  },
};

export const imagesCommands: CommandGroup = {
  name: "images",
  summary: "Images of sandboxes in the Docker Engine: list, build and prune them",
  details: ["More: [images.md](images.md)."],
  default: "list",
  commands: [listCommand, buildCommand, pruneCommand],
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

function shown({ runtime, reference, id, state, bytes, base }: ImageView): string {
  const name = reference ?? id ?? "";
  const size = bytes === null ? "" : `, ${Math.round(bytes / 1_000_000)} MB`;
  return `${runtime}: ${name} ${state}${size}${base === null ? "" : `, of ${base}`}`;
}
