import type { GuestPart, PrunedGuests } from "@isola/api/guests";
import { paintStates } from "../colors.ts";
import type { Command, CommandGroup, Result } from "../command.ts";
import { builtImages } from "./images.ts";

const listCommand: Command = {
  usage: "list",
  summary: "List what microVMs are made of, with its state: current, missing, outdated",
  json: "`items` of the API",
  async run({ client, signal }) {
    const { items } = await client.listGuestParts({ signal });
    return { json: { items }, text: items.map(shown).join("\n") || "Nothing.", paint: paintStates };
  },
};

const buildCommand: Command = {
  usage: "build [runtime]",
  summary: "Build what is missing, and show how it goes",
  positionals: { runtime: { help: "left out: every one on the server", completes: "runtime" } },
  options: [
    { flags: "--fresh", help: "get the kernel anew though it is there" },
    { flags: "--kernel", help: "first a small kernel from source, which guests have from then on" },
  ],
  json: "`items`: `runtime`, `reference`, `id`, `wasBuilt`",
  async run(context, [runtime], { fresh, kernel }) {
    const asked = {
      ...(runtime !== undefined && { runtime }),
      ...(fresh === true && { fresh: true }),
      ...(kernel === true && { kernel: true }),
    };
    const { client, signal } = context;
    return builtImages(context, client.buildGuests(asked, { signal }));
  },
};

const pruneCommand: Command = {
  usage: "prune",
  summary: "Remove what is outdated",
  options: [
    {
      flags: "--kernel",
      help: "kernels that were built here, and nothing else; ends a build of one",
    },
  ],
  json: "`removed` (names)",
  async run({ client, signal }, _args, { kernel }) {
    if (kernel === true)
      return pruned(await client.removeGuestKernels({ signal }), "No kernel was built here.");
    return pruned(await client.pruneGuestParts({ signal }), "Nothing is outdated.");
  },
};

export const vmCommands: CommandGroup = {
  name: "vm",
  summary: "What microVMs are made of: list, build and prune it",
  details: ["More: [images.md](images.md#a-kernel-built-here)."],
  default: "list",
  commands: [listCommand, buildCommand, pruneCommand],
};

function shown({ kind, text, name, state, bytes }: GuestPart): string {
  const size = bytes === null ? "" : `, ${Math.round(bytes / 1_000_000)} MB`;
  return `${kind} of ${text}: ${name === null ? "" : `${name} `}${state}${size}`;
}

function pruned(json: PrunedGuests, otherwise: string): Result {
  return { json, text: json.removed.map((name) => `removed ${name}`).join("\n") || otherwise };
}
