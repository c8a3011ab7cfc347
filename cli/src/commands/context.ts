import { ApiError, createClient } from "@isola/client";
import { readArgument, textOption } from "../arguments.ts";
import {
  type Command,
  type CommandGroup,
  type Context,
  Failure,
  exitCodes,
  usageFailure,
} from "../command.ts";
import { checkName, checkUrl, contextOf, maskedKey } from "../contexts/contexts.ts";
import type { ServerContext } from "../contexts/contexts.ts";
import { changeContexts, contextsPath, readContexts } from "../contexts/contexts-file.ts";
import { isThisMachine } from "../connection.ts";
import { table } from "../printable.ts";

const CHECK_MS = 10_000;
const nameHelp = { help: "of the context", completes: "context" } as const;

const listCommand: Command = {
  usage: "list",
  isLocal: true,
  summary: "List contexts; `*` marks the current one",
  json: "`items`: `name`, `url`, `project`, `key` (masked, or null), `isCurrent`",
  async run({ env }) {
    const { current, contexts } = readContexts(contextsPath(env));
    const items = [...contexts].map(([name, one]) => ({
      ...shown(name, one),
      isCurrent: name === current,
    }));
    const rows = items.map((one) => [
      one.isCurrent ? "*" : "",
      one.name,
      one.url,
      one.project ?? "-",
      one.key ?? "-",
    ]);
    const none = "No contexts. `isola context add <name> <url>` makes one.";
    const head = ["", "NAME", "URL", "PROJECT", "KEY"];
    return { json: { items }, text: rows.length === 0 ? none : table(head, rows) };
  },
};

const addCommand: Command = {
  usage: "add <name> <url>",
  isLocal: true,
  summary: "Keep a server's address and key under a name, once it has answered",
  positionals: {
    name: { help: "letters, digits, `.`, `_` and `-`" },
    url: { help: "address of the API, as https://isola.example.org:8081" },
  },
  options: [
    {
      flags: "--key <key>",
      help: "API key: @file, - for stdin (neither stands in the shell's history), or the key itself; left out: ISOLA_API_KEY is used with each call",
    },
    { flags: "--project <name>", help: "as --project with each command" },
    { flags: "--use", help: "make it the current one" },
    { flags: "--replace", help: "put it in the place of one with this name" },
    { flags: "--no-check", help: "do not ask the server whether it answers and takes the key" },
  ],
  examples: [
    {
      line: "isola context add prod https://isola.example.org --key - --use < key",
      says: "the key comes from a file",
    },
  ],
  json: "as in `context list`",
  async run(context, [name = "", address = ""], options) {
    checkName(name);
    const url = checkUrl(address);
    const key = textOption(options, "key");
    const apiKey =
      key === undefined ? undefined : checkKey((await readArgument(key, context)).toString("utf8"));
    const project = textOption(options, "project");
    const added = { url, ...(apiKey && { apiKey }), ...(project && { project }) };
    const path = contextsPath(context.env);
    const replaces = options.replace === true;
    if (!replaces) refuseDouble(name, readContexts(path).contexts.has(name)); // before the server is asked
    if (options.check !== false) await check(context, added);
    if (apiKey !== undefined && url.startsWith("http:") && !isThisMachine(new URL(url).hostname))
      context.note(`${url} is not encrypted: whoever is on the way can read the key`);
    let isCurrent = false;
    await changeContexts(
      path,
      (all) => {
        if (!replaces) refuseDouble(name, all.contexts.has(name));
        all.contexts.set(name, added);
        if (options.use === true) all.current = name;
        isCurrent = all.current === name;
      },
      context.signal,
    );
    const how = isCurrent
      ? "is the current context"
      : `: \`isola context use ${name}\` makes it the current one`;
    return {
      json: { ...shown(name, added), isCurrent },
      text: isCurrent ? `${name} ${how}` : `${name} was added${how}`,
    };
  },
};

const useCommand: Command = {
  usage: "use [name]",
  isLocal: true,
  summary: "Make a context the current one, whose server commands call",
  positionals: { name: nameHelp },
  options: [{ flags: "--none", help: "none from now on: the server of this machine" }],
  json: "`current`: its name or null",
  async run({ env, signal }, [name], { none }) {
    if ((name === undefined) === (none !== true))
      throw usageFailure("context use takes the name of a context, or --none");
    const current = name ?? null;
    await changeContexts(
      contextsPath(env),
      (all) => {
        if (name !== undefined) contextOf(all, name, "given");
        all.current = current;
      },
      signal,
    );
    const text = current === null ? "No context is current." : `${current} is the current context`;
    return { json: { current }, text };
  },
};

const showCommand: Command = {
  usage: "show",
  summary: "Show which server a command calls here, as whom, and who says so",
  json: "`context` (name or null), `url`, `urlSource`, `key` (masked, or null), `keySource`, `project` (or null)",
  async run({ connection }) {
    const { context, url, urlSource, apiKey, keySource, project } = connection;
    const key = apiKey === undefined ? null : maskedKey(apiKey);
    const rows = [
      ["context", context ?? "-"],
      ["url", `${url} (from ${urlSource})`],
      ["key", key === null ? `- (none in ${keySource})` : `${key} (from ${keySource})`],
      ["project", project ?? "that of the key"],
    ];
    const json = { context, url, urlSource, key, keySource, project: project ?? null };
    return { json, text: rows.map(([name = "", text]) => `${name.padEnd(8)} ${text}`).join("\n") };
  },
};

const rmCommand: Command = {
  usage: "rm <name>",
  isLocal: true,
  summary: "Forget a context and its key; the key goes on working",
  positionals: { name: nameHelp },
  options: [{ flags: "--yes", help: "without asking" }],
  json: "`name`, `current` (name or null)",
  async run(context, [name = ""], options) {
    const path = contextsPath(context.env);
    contextOf(readContexts(path), name, "given");
    if (options.yes !== true) {
      const answer = await context.confirm(`Forget ${name} and its key?`);
      if (answer === null) throw usageFailure("There is nobody to ask: add --yes to remove it");
      if (!answer) throw usageFailure("Nothing was removed");
    }
    let current: string | null = null;
    await changeContexts(
      path,
      (all) => {
        contextOf(all, name, "given");
        all.contexts.delete(name);
        if (all.current === name) all.current = null;
        current = all.current;
      },
      context.signal,
    );
    return { json: { name, current }, text: `${name} was removed` };
  },
};

export const contextCommands: CommandGroup = {
  name: "context",
  summary: "Servers by name: which one commands call, and with which key",
  details: [
    "Contexts are kept in `~/.config/isola/contexts.json` (`$XDG_CONFIG_HOME/isola`), which only its user may read. `--context <name>` and `ISOLA_CONTEXT` choose one for a command, `isola context use` for all. A context's key is sent to its own address alone.",
  ],
  default: "list",
  commands: [listCommand, addCommand, useCommand, showCommand, rmCommand],
};

function shown(name: string, { url, project, apiKey }: ServerContext) {
  const key = apiKey === undefined ? null : maskedKey(apiKey);
  return { name, url, project: project ?? null, key };
}

function refuseDouble(name: string, isThere: boolean): void {
  if (isThere)
    throw usageFailure(`there is a context ${name} already: --replace puts this one in its place`);
}

function checkKey(text: string): string {
  const key = text.trim();
  if (/^[\x21-\x7e]{1,256}$/.test(key)) return key;
  throw usageFailure("--key takes one API key, like isola_<id>_<secret>; what was given is none");
}

/** Whether the server answers, and takes the key where there is one. */
async function check({ signal }: Context, server: ServerContext): Promise<void> {
  const client = createClient({ ...server, timeoutMs: CHECK_MS, retries: 0 });
  try {
    if (server.apiKey === undefined) await client.getReadiness({ signal });
    else await client.getSession({ signal });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { code, status } = error;
    if (code === "not_ready" || (status === 503 && server.apiKey === undefined)) return; // it answers
    const isAway = code === "unreachable";
    const what =
      code === "unauthenticated" ? `${server.url} does not accept the key` : error.message;
    throw new Failure(
      `${what}\n  Nothing was added; --no-check adds it unasked`,
      isAway ? exitCodes.unreachable : exitCodes.failed,
    );
  }
}
