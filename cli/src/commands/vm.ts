import type { GuestPart, PrunedGuests } from "@isola/api/guests";
import { type Command, type Context, type Result, usageFailure } from "../command.ts";
import { builtImages } from "./images.ts";

export const vmCommand: Command = {
  usage: "vm [action] [runtime]",
  summary: "What microVMs are made of: list it, build what is missing, prune what is outdated",
  options: [
    { flags: "--fresh", help: "build: get the kernel anew though it is there" },
    {
      flags: "--kernel",
      help: "build: first a small kernel from source, which guests have from then on; prune: such kernels alone",
    },
  ],
  async run(context, [action = "list", runtime], { fresh, kernel }) {
    const { client, signal } = context;
    if (action === "build") {
      const asked = {
        ...(runtime !== undefined && { runtime }),
        ...(fresh === true && { fresh: true }),
        ...(kernel === true && { kernel: true }),
      };
      return builtImages(context, client.buildGuests(asked, { signal }));
    }
    if (action !== "list" && action !== "prune")
      throw usageFailure(`vm takes list, build or prune, given: ${action}`);
    if (runtime !== undefined || fresh === true)
      throw usageFailure(`vm ${action} takes no runtime and no --fresh; build does`);
    if (action === "prune" && kernel === true)
      return pruned(await client.removeGuestKernels({ signal }), "No kernel was built here.");
    if (kernel === true) throw usageFailure("vm list takes no --kernel; build and prune do");
    if (action === "list") return list(context);
    return pruned(await client.pruneGuestParts({ signal }), "Nothing is outdated.");
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

function pruned(json: PrunedGuests, otherwise: string): Result {
  return { json, text: json.removed.map((name) => `removed ${name}`).join("\n") || otherwise };
}
