import { type Command, type CommandGroup, type Example, exitCodeMeanings } from "./command.ts";
import { exitCodes } from "./command.ts";
import { type Entry, type Flag, flagsOf, isGroup, nameOf, placesOf } from "./notation.ts";

const COLUMNS_LEAST = 60;
const COLUMNS_MOST = 110;

/** What a person at a terminal of so many columns reads about all commands, a group or one command. */
export function helpText(
  entries: readonly Entry[],
  { path, entry, columns = 100 }: { path: string; entry: Entry | null; columns?: number },
): string {
  const width = Math.min(COLUMNS_MOST, Math.max(COLUMNS_LEAST, columns));
  if (entry === null) return ofAll(entries, width);
  return isGroup(entry) ? ofGroup(entry, width) : ofCommand(entry, path, width);
}

function ofAll(entries: readonly Entry[], width: number): string {
  const rows = entries.map((entry) => [nameOf(entry), entry.summary]);
  return [
    "Usage: isola <command> [arguments] [flags]",
    "",
    "Self-hosted serverless functions.",
    "",
    "Commands:",
    columned([...rows, ["help [command]", "show what a command takes"]], width),
    "",
    "Flags:",
    columned(
      [
        ["-h, --help", "show this"],
        ["-V, --version", "show the version"],
      ],
      width,
    ),
    "",
    wrapped("Every command but `up` takes --json, and --context where it calls a server.", width),
    "",
    columned(variables, width),
    "",
    wrapped(`Exit codes: ${exitCodeText()}.`, width),
  ].join("\n");
}

/** For the help and the page. */
export const variables: string[][] = [
  [
    "ISOLA_URL",
    "address of the API, not the one where functions are called; default: that of the context, the file `api-url` in the data folder, which a running server keeps there, http://127.0.0.1:8081",
  ],
  ["ISOLA_API_KEY", "default: that of the context, else the file `admin-key` in the data folder"],
  ["ISOLA_CONTEXT", "a server of `isola context list`, as --context; default: the current one"],
  ["ISOLA_PROJECT", "project of functions, as --project; default: that of the context, of the key"],
  [
    "ISOLA_DATA",
    "data folder of a server on this machine; default: ./data if a server has used it, else that of the checkout",
  ],
];

function exitCodeText(): string {
  const codes = Object.entries(exitCodeMeanings) as [keyof typeof exitCodes, string][];
  return codes.map(([name, meaning]) => `${exitCodes[name]} ${meaning}`).join(", ");
}

function ofGroup(group: CommandGroup, width: number): string {
  const { name, summary, commands, details = [] } = group;
  const rows = commands.map((command) => [
    command.usage,
    nameOf(command) === group.default
      ? `${command.summary} (without a verb: this)`
      : command.summary,
  ]);
  return [
    `Usage: isola ${name} <verb> [arguments] [flags]`,
    "",
    wrapped(`${summary}.`, width),
    ...details.flatMap((text) => ["", wrapped(text, width)]),
    "",
    "Verbs:",
    columned(rows, width),
    "",
    `\`isola help ${name} <verb>\` says more.`,
  ].join("\n");
}

function ofCommand(command: Command, path: string, width: number): string {
  const { positionals = {}, details = [], examples = [], summary } = command;
  const flags = flagsOf(command);
  const places = placesOf(command).flatMap(({ name }) => {
    const help = positionals[name]?.help;
    return help === undefined ? [] : [[name, help]];
  });
  return [
    `Usage: ${usageLine(command, path)}`,
    "",
    wrapped(`${summary}.`, width),
    ...details.flatMap((text) => ["", wrapped(text, width)]),
    ...section("Arguments:", places, width),
    ...section("Flags:", flags.map(flagRow), width),
    ...exampleSection(examples, width),
  ].join("\n");
}

/** `isola deploy [dir] [flags]` */
export function usageLine(command: Command, path: string): string {
  const rest = command.usage.split(" ").slice(1);
  return [`isola ${path}`, ...rest, ...(command.isPassThrough ? [] : ["[flags]"])].join(" ");
}

export function flagRow({ option }: Flag): [flags: string, help: string] {
  return [option.flags, option.isRepeatable ? `${option.help}; repeatable` : option.help];
}

function section(title: string, rows: string[][], width: number): string[] {
  return rows.length === 0 ? [] : ["", title, columned(rows, width)];
}

function exampleSection(examples: readonly Example[], width: number): string[] {
  if (examples.length === 0) return [];
  const length = Math.max(...examples.map(({ line }) => line.length));
  const isNarrow = examples.some(({ says }) => length + says.length + 6 > width);
  const lines = examples.flatMap(({ line, says }) =>
    isNarrow ? [`  # ${says}`, `  ${line}`] : [`  ${line.padEnd(length)}  # ${says}`],
  );
  return ["", "Examples:", ...lines];
}

/** Two columns, the second wrapped below itself. */
function columned(rows: readonly (readonly string[])[], width: number): string {
  const first = Math.min(32, Math.max(...rows.map(([name = ""]) => name.length)));
  return rows
    .map(([name = "", text = ""]) => {
      const lines = wrapped(text, width - first - 4).split("\n");
      const indented = lines.join(`\n${" ".repeat(first + 4)}`);
      const isLong = name.length > first;
      return `  ${name.padEnd(first)}${isLong ? `\n${" ".repeat(first + 4)}` : "  "}${indented}`;
    })
    .join("\n");
}

function wrapped(markdown: string, width: number): string {
  // Links of the page are relative to docs/.
  const text = markdown.replace(/\[[^\]]*\]\(([^)]*)\)/g, "docs/$1");
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}
