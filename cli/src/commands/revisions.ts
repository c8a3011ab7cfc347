import { integerOption } from "../arguments.ts";
import { paintStates } from "../colors.ts";
import type { Command } from "../command.ts";
import { collectPages } from "../pages.ts";
import { table } from "../printable.ts";

const LISTED_DEFAULT = 20;
const nameHelp = { help: "of the function", completes: "function" } as const;
const limitOption = {
  flags: "--limit <n>",
  help: `the newest, at most this many (default ${LISTED_DEFAULT})`,
};

export const revisionsCommand: Command = {
  usage: "revisions <name>",
  isOfProject: true,
  summary: "List the revisions of a function, newest first",
  positionals: { name: nameHelp },
  options: [limitOption],
  json: "`items` of the API",
  async run({ client, signal }, [name = ""], options) {
    const items = await collectPages(
      (page) => client.listRevisions(name, page, { signal }),
      integerOption(options, "limit", "--limit") ?? LISTED_DEFAULT,
    );
    const rows = items.map((one) => [
      one.isLive ? "*" : "",
      String(one.revision),
      one.reason,
      one.createdAt,
      one.createdBy,
      String(one.codeBytes),
      one.codeDigest.replace(/^sha256:/, "").slice(0, 12),
    ]);
    const head = ["", "REVISION", "OF", "MADE", "BY KEY", "BYTES", "CODE"];
    const text = `${table(head, rows)}\n\`isola rollback ${name} <revision>\` makes one live.`;
    return { json: { items }, text };
  },
};

export const buildsCommand: Command = {
  usage: "builds <name>",
  isOfProject: true,
  summary: "List the builds of a function's dependencies, newest first",
  details: ["More: [builds.md](builds.md)."],
  positionals: { name: nameHelp },
  options: [limitOption, { flags: "--output", help: "with the last lines that each put out" }],
  json: "`items` of the API",
  async run({ client, signal }, [name = ""], options) {
    const items = await collectPages(
      (page) => client.listBuilds(name, page, { signal }),
      integerOption(options, "limit", "--limit") ?? LISTED_DEFAULT,
    );
    const rows = items.map((one) => [
      one.startedAt,
      one.isCached ? "ok (was there)" : one.state,
      one.runtime,
      one.driver,
      one.message?.split("\n")[0] ?? "",
    ]);
    const head = ["BEGAN", "STATE", "RUNTIME", "DRIVER", "REASON"];
    const outputs = items
      .filter(({ output }) => options.output === true && output.length > 0)
      .map(({ startedAt, output }) => `\n${startedAt}:\n${output.join("\n")}`);
    const text = rows.length === 0 ? "No builds." : [table(head, rows), ...outputs].join("\n");
    return { json: { items }, text, paint: paintStates };
  },
};
