import type { AllLogsQuery, LogLineView, LogView } from "@isola/api/logs";
import { logLevels } from "@isola/api/limits";
import { textOption } from "../arguments.ts";
import type { Command, Options } from "../command.ts";
import { listOrFollow } from "../follow.ts";
import { printableLine } from "../printable.ts";

const LINES_DEFAULT = 100;

export const logsCommand: Command = {
  usage: "logs [name]",
  isOfProject: true,
  summary: "Show what a function, or all of them, wrote",
  positionals: { name: { help: "of the function; left out: all", completes: "function" } },
  details: [
    "The newest lines, oldest first; `-f` goes on with new ones. What was left out because it was not read fast enough is told in its place. More: [logs.md](logs.md).",
  ],
  examples: [
    { line: "isola logs hello -f", says: "go on with new lines" },
    { line: "isola logs --level error --since 2h", says: "errors of all functions" },
  ],
  json: "`items` of the API; with `--follow` one object a line, `dropped` (a number) where some were left out",
  options: [
    {
      flags: "-f, --follow",
      help: "go on with new lines until Ctrl-C; with --json one object a line",
    },
    {
      flags: "--limit <n>",
      help: `the newest lines, at most this many (default ${LINES_DEFAULT})`,
    },
    {
      flags: "--level <level>",
      help: "at least trace, debug, info, warn, error or fatal",
      completes: logLevels,
    },
    { flags: "--text <text>", help: "only lines with this text, in upper or lower case" },
    { flags: "--since <moment>", help: "from then on: 10m, 2h, 3d (ago), or a date and time" },
    { flags: "--until <moment>", help: "before then" },
    { flags: "--invocation <id>", help: "only of this invocation" },
    { flags: "--sandbox <id>", help: "only of this sandbox" },
    { flags: "--stream <name>", help: "only stdout or stderr", completes: ["stdout", "stderr"] },
  ],
  async run(context, [name], options) {
    const filter = filterOf(name, options);
    // Says so where there is none of that name.
    if (name !== undefined) await context.client.getFunction(name);
    return await listOrFollow<LogLineView>(context, options, {
      limit: LINES_DEFAULT,
      none: "No lines.",
      page: (more) => context.client.listAllLogs({ ...filter, ...more }),
      tail: (opening) => context.client.tailLogs(filter, opening),
      text: (line) => shownLine(line, name === undefined),
    });
  },
};

type Filter = Pick<
  AllLogsQuery,
  "function" | "level" | "text" | "invocation" | "sandbox" | "stream"
>;

function filterOf(name: string | undefined, options: Options): Filter {
  const text = textOption(options, "text");
  const level = textOption(options, "level");
  const invocation = textOption(options, "invocation");
  const sandbox = textOption(options, "sandbox");
  const stream = textOption(options, "stream");
  return {
    ...(name !== undefined && { function: name }),
    ...(text && { text }),
    // What is none of them the server names.
    ...(level && { level: level as Filter["level"] & string }),
    ...(invocation && { invocation }),
    ...(sandbox && { sandbox }),
    ...(stream && { stream: stream as Filter["stream"] & string }),
  };
}

function shownLine(line: LogLineView, isOfMany: boolean): string {
  return shownLog(line, isOfMany ? ` ${line.functionName}` : "");
}

/** One line, whatever is in it: no text of a function can look like the beginning of another. Of JSON its message comes first. */
export function shownLog(line: LogView, of = ""): string {
  const { at, invocationId, stream, level, text, message, truncated } = line;
  const kind = level === "none" ? stream : level;
  const said = message === null ? text : `${message} ${text}`;
  return printableLine(
    `${at} ${kind}${of} ${invocationId ?? "-"} ${said}${truncated ? " (cut)" : ""}`,
  );
}
