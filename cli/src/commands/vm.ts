import type { GuestPart } from "@isola/api/guests";
import { type Command, type Context, type Result, usageFailure } from "../command.ts";
import { builtImages } from "./images.ts";

export const vmCommand: Command = {
  usage: "vm [action] [runtime]",
  summary: "What microVMs are made of: list it, build what is missing, prune what is outdated",
  options: [{ flags: "--fresh", help: "build: get the kernel anew though it is there" }],
  async run(context, [action = "list", runtime], { fresh }) {
    const { client, signal } = context;
    if (action === "build") {
      const asked = {
        ...(runtime !== undefined && { runtime }),
        ...(fresh === true && { fresh: true }),
      };
      return builtImages(context, client.buildGuests(asked, { signal }));
    }
    if (action !== "list" && action !== "prune")
      throw usageFailure(`vm takes list, build or prune, given: ${action}`);
    if (runtime !== undefined || fresh === true)
      throw usageFailure(`vm ${action} takes no runtime and no --fresh; build does`);
    return action === "list" ? list(context) : prune(context);
  },
};

async function list({ client, signal }: Context): Promise<Result> {
  const { items } = await client.listGuestParts({ signal });
  return { json: { items }, text: items.map(shown).join("\n") || "Nothing." };
}

function shown({ kind, text, name, state, bytes }: GuestPart): string {
  const size = bytes === null ? "" : `, ${Math.round(bytes / 1_000_000)} MB`;
  return `${kind} of ${text}: ${name === null ? "" : `${name} `}${state}${size}`;
}

async function prune({ client, signal }: Context): Promise<Result> {
  const pruned = await client.pruneGuestParts({ signal });
  const lines = pruned.removed.map((name) => `removed ${name}`);
  return { json: pruned, text: lines.join("\n") || "Nothing is outdated." };
}
