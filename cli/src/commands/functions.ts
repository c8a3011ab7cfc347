import type { FunctionView } from "@isola/api/functions";
import { listOption, textOption } from "../arguments.ts";
import { type Command, usageFailure } from "../command.ts";
import { collectPages } from "../pages.ts";
import { table } from "../printable.ts";

export const listCommand: Command = {
  usage: "list",
  isOfProject: true,
  summary: "List functions",
  examples: [{ line: "isola list --label team=web", says: "only those of a label" }],
  json: "`items` of the API",
  options: [
    { flags: "--query <text>", help: "only with this in name or description" },
    { flags: "--label <name=value>", help: "only with this label", isRepeatable: true },
  ],
  async run(context, _args, options) {
    const query = textOption(options, "query");
    const label = [...listOption(options, "label")];
    const functions = await collectPages((page) =>
      context.client.listFunctions({
        ...(query && { query }),
        ...(label[0] && { label }),
        ...page,
      }),
    );
    const rows = functions.map((fn) => [
      fn.name,
      fn.runtime,
      fn.driver,
      String(fn.liveRevision),
      fn.updatedAt,
      fn.url,
    ]);
    const head = ["NAME", "RUNTIME", "DRIVER", "REVISION", "UPDATED", "URL"];
    const text = rows.length === 0 ? "No functions. `isola deploy` makes one." : table(head, rows);
    return { json: { items: functions }, text };
  },
};

export const getCommand: Command = {
  usage: "get <name>",
  isOfProject: true,
  summary: "Show a function with all its settings",
  positionals: { name: { help: "of the function", completes: "function" } },
  json: "the function, as the API has it",
  async run(context, [name = ""]) {
    const fn = await context.client.getFunction(name);
    return { json: fn, text: textOf(fn) };
  },
};

export const rmCommand: Command = {
  usage: "rm <name>",
  isOfProject: true,
  summary: "Delete a function with its revisions",
  positionals: { name: { help: "of the function", completes: "function" } },
  json: "what the API answers: `name`, `applied`",
  options: [{ flags: "--yes", help: "delete without asking" }],
  async run(context, [name = ""], options) {
    const fn = await context.client.getFunction(name);
    if (options.yes !== true) {
      const answer = await context.confirm(`Delete ${name} and its revisions?`);
      if (answer === null) throw usageFailure("There is nobody to ask: add --yes to delete");
      if (!answer) throw usageFailure("Nothing was deleted");
    }
    const deleted = await context.client.deleteFunction(name, { ifMatch: fn.etag });
    return { json: deleted, text: `${name}: deleted` };
  },
};

export const rollbackCommand: Command = {
  usage: "rollback <name> [revision]",
  isOfProject: true,
  summary: "Make an earlier revision live",
  positionals: {
    name: { help: "of the function", completes: "function" },
    revision: { help: "its number; left out: the one before the live one" },
  },
  json: "the function, as the API has it",
  async run(context, [name = "", revision]) {
    if (revision !== undefined && !/^[1-9]\d{0,8}$/.test(revision)) {
      throw usageFailure(`A revision is a number from 1, given: ${revision}`);
    }
    const fn = await context.client.getFunction(name);
    const target = revision === undefined ? fn.liveRevision - 1 : Number(revision);
    if (target < 1) throw usageFailure(`${name} has no revision before ${fn.liveRevision}`);
    const changed = await context.client.rollback(name, { revision: target }, { ifMatch: fn.etag });
    const text = `${name}: revision ${changed.liveRevision} is live (was ${fn.liveRevision})`;
    return { json: changed, text };
  },
};

function textOf(fn: FunctionView): string {
  const rows = Object.entries(fn).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return table(["SETTING", "VALUE"], rows);
}
