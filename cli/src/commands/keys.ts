import type { CreateKey, KeyView } from "@isola/api/keys";
import { scopes } from "@isola/api/limits";
import { listOption, textOption } from "../arguments.ts";
import { type Command, type CommandGroup, usageFailure } from "../command.ts";
import { momentAhead } from "../moment.ts";
import { collectPages } from "../pages.ts";
import { table } from "../printable.ts";

const listCommand: Command = {
  usage: "list",
  summary: "List API keys, newest first, revoked ones too",
  options: [{ flags: "--project <name>", help: "only keys that are for it", completes: "project" }],
  json: "`items` of the API",
  async run({ client, signal }, _args, options) {
    const project = textOption(options, "project");
    const items = await collectPages((page) =>
      client.listKeys({ ...(project && { project }), ...page }, { signal }),
    );
    const rows = items.map((key) => [
      key.id,
      key.name,
      key.scopes.join(","),
      key.project ?? "every",
      key.createdAt,
      key.lastUsedAt ?? "never",
      stateOf(key),
    ]);
    const head = ["ID", "NAME", "SCOPES", "PROJECT", "CREATED", "LAST USED", "STATE"];
    return { json: { items }, text: rows.length === 0 ? "No keys." : table(head, rows) };
  },
};

const createCommand: Command = {
  usage: "create <name>",
  summary: "Make an API key and print it, this once",
  details: [
    "The key alone goes to stdout, what it is to stderr. A key of one project sees that project alone ([projects.md](projects.md)).",
  ],
  positionals: { name: { help: "what it is for, for people" } },
  options: [
    {
      flags: "--scope <scope>",
      help: `${scopes.join(", ")}; at least one`,
      isRepeatable: true,
      completes: scopes,
    },
    {
      flags: "--project <name>",
      help: "the one that it is for; left out: that of the key that makes it",
      completes: "project",
    },
    { flags: "--expires <time>", help: "when it stops working: 90d, or a date and time" },
  ],
  examples: [
    {
      line: "isola keys create ci --scope deploy --project team-a > key",
      says: "for one project, into a file",
    },
  ],
  json: "the key as the API has it, with `key`",
  async run(context, [name = ""], options) {
    const asked = listOption(options, "scope");
    if (asked.length === 0)
      throw usageFailure(`keys create needs --scope, at least one of ${scopes.join(", ")}`);
    const project = textOption(options, "project");
    const expires = momentAhead(options, "expires");
    const body = {
      name,
      scopes: asked as CreateKey["scopes"], // what is none of them the server names
      ...(project && { project }),
      ...(expires !== undefined && { expiresAt: new Date(expires).toISOString() }),
    };
    const { client, signal } = context;
    const made = await client.createKey(body, { signal });
    const ends = made.expiresAt === null ? "" : `, until ${made.expiresAt}`;
    context.note(
      `${made.id}: ${made.scopes.join(", ")}, for ${projectText(made)}${ends}. The key is shown this once:`,
    );
    return { json: made, text: made.key ?? "" };
  },
};

const revokeCommand: Command = {
  usage: "revoke <id>",
  summary: "Revoke an API key, at once and for ever",
  positionals: { id: { help: "of the key; `isola keys list` has them" } },
  options: [{ flags: "--yes", help: "without asking" }],
  json: "the key, as the API has it",
  async run(context, [id = ""], options) {
    // Somebody may give the key itself. It must stand in no address.
    if (id.startsWith("isola_"))
      throw usageFailure("keys revoke takes the id of a key, which is between its underscores");
    if (options.yes !== true) {
      const answer = await context.confirm(`Revoke ${id}? What uses it is refused from then on.`);
      if (answer === null) throw usageFailure("There is nobody to ask: add --yes to revoke");
      if (!answer) throw usageFailure("Nothing was revoked");
    }
    const revoked = await context.client.revokeKey(id, { signal: context.signal });
    return { json: revoked, text: `${revoked.id} (${revoked.name}): revoked` };
  },
};

export const keysCommands: CommandGroup = {
  name: "keys",
  summary: "API keys: list, create and revoke them",
  default: "list",
  commands: [listCommand, createCommand, revokeCommand],
};

function projectText({ project }: KeyView): string {
  return project === null ? "every project" : `project ${project}`;
}

function stateOf({ revokedAt, expiresAt }: KeyView): string {
  if (revokedAt !== null) return "revoked";
  if (expiresAt === null) return "works";
  return Date.parse(expiresAt) <= Date.now() ? "expired" : `until ${expiresAt}`;
}
