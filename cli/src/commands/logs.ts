import type { AllLogsQuery, LogLineView, LogView } from "@isola/api/logs";
import { integerOption, textOption } from "../arguments.ts";
import { type Command, type Options, usageFailure } from "../command.ts";
import { follow } from "../follow.ts";
import { momentOf } from "../moment.ts";
import { collectPages } from "../pages.ts";
import { printableLine } from "../printable.ts";

const LINES_DEFAULT = 100;

export const logsCommand: Command = {
  usage: "logs [name]",
  isOfProject: true,
  summary: "Show what a function, or all of them, wrote",
  options: [
    {
      flags: "-f, --follow",
      help: "go on with new lines until Ctrl-C; with --json one object a line",
    },
    {
      flags: "--limit <n>",
      help: `the newest lines, at most this many (default ${LINES_DEFAULT})`,
    },
    { flags: "--level <level>", help: "at least trace, debug, info, warn, error or fatal" },
    { flags: "--text <text>", help: "only lines with this text, in upper or lower case" },
    { flags: "--since <moment>", help: "from then on: 10m, 2h, 3d (ago), or a date and time" },
    { flags: "--until <moment>", help: "before then" },
    { flags: "--invocation <id>", help: "only of this invocation" },
    { flags: "--sandbox <id>", help: "only of this sandbox" },
    { flags: "--stream <name>", help: "only stdout or stderr" },
  ],
  async run(context, [name], options) {
    const limit = integerOption(options, "limit", "--limit") ?? LINES_DEFAULT;
    const filter = filterOf(name, options);
    const range = rangeOf(options);
    const list = async () => {
      const newest = await collectPages(
        (page) => context.client.listAllLogs({ ...filter, ...range, order: "newest", ...page }),
        limit,
      );
      return newest.reverse();
    };
    // Says so where there is none of that name.
    if (name !== undefined) await context.client.getFunction(name);
    if (options.follow !== true) {
      const lines = await list();
      const text = lines.map((line) => shownLine(line, name === undefined)).join("\n");
      return { json: { items: lines }, text: text || "No lines." };
    }
    if (range.until !== undefined) throw usageFailure("--until and --follow exclude each other");
    const { signal } = context;
    await follow<LogLineView>(context, {
      open: (lastEventId) =>
        context.client.tailLogs(filter, { signal, ...(lastEventId && { lastEventId }) }),
      list,
      show: (line) => ({ json: line, text: shownLine(line, name === undefined) }),
    });
    return { json: undefined, text: "" };
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

export function rangeOf(options: Options): { since?: number; until?: number } {
  const [since, until] = [textOption(options, "since"), textOption(options, "until")];
  const now = Date.now();
  return {
    ...(since !== undefined && { since: momentOf(since, "--since", now) }),
    ...(until !== undefined && { until: momentOf(until, "--until", now) }),
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
