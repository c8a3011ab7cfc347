import {
  type Command,
  type CommandGroup,
  exitCodeMeanings,
  exitCodes,
} from "../cli/src/command.ts";
import { commands } from "../cli/src/commands.ts";
import { flagRow, usageLine, variables } from "../cli/src/help.ts";
import { type Entry, flagsOf, isGroup, nameOf, placesOf } from "../cli/src/notation.ts";
import { notice, table, tableRow } from "./docs-table.ts";

/** Reference of the command line: what stands in cli/src/commands, and what is said of all of them. */
export function cliPage(): string {
  const list = commands.map((entry) =>
    tableRow([`[\`${nameOf(entry)}\`](#isola-${nameOf(entry)})`, `${entry.summary}.`]),
  );
  const codes = (Object.keys(exitCodeMeanings) as (keyof typeof exitCodes)[]).map((name) =>
    tableRow([String(exitCodes[name]), exitCodeMeanings[name]]),
  );
  return `${notice}
${opening}
${table(
  ["Variable", "What"],
  variables.map(([name = "", text = ""]) => tableRow([`\`${name}\``, text])),
)}

${servers}
## Commands
\`isola help <command> <verb>\` says what stands here.

${table(["Command", "What it does"], list)}

${commands.map(entrySection).join("\n")}
${conventions}
## Exit codes
${table(["Code", "Meaning"], codes)}
`;
}

const opening = `# The command line

\`npm run isola -- <command>\` in a checkout, or from anywhere with any Node.js from version 20 on (after the first \`npm start\`, which installs what it needs):

\`\`\`sh no-run: the path is that of your checkout; setup/isola.test.ts
isola() { node /path/to/isola/cli/isola.mjs "$@"; }
\`\`\`

Relative paths are taken from the folder where the command is typed, in \`@file\` arguments too; only \`npm run isola -- up\` starts, as \`npm start\` does, from the checkout.

## Which server is called
`;

const servers = `\`isola context show\` says which server a command calls here, and who says so. The first of these names the address:

1. \`--context <name>\`
2. \`ISOLA_URL\`
3. \`ISOLA_CONTEXT\`
4. \`ISOLA_DATA\`: the server of that data folder
5. the context that \`isola context use\` has made the current one
6. the server of \`./data\`, else of the checkout that the command belongs to
7. \`http://127.0.0.1:8081\`

The key is that of \`--context\`, else \`ISOLA_API_KEY\`, else that of the context or the data folder which gave the address. A context's key goes to its own address alone. An \`api-url\` that names another machine is followed only in a folder that \`ISOLA_DATA\` names.

For a server on another machine: \`isola context add prod https://isola.example.org --key - --use < key\`, with a key of \`isola keys create\` there; or set \`ISOLA_URL\` and \`ISOLA_API_KEY\`.
`;

const conventions = `## What all of them share
Results go to stdout, everything else (notes, progress, questions, errors) to stderr. Colours are used where that is a terminal, \`NO_COLOR\` is unset and \`TERM\` is not \`dumb\`; on a terminal a line of progress is rewritten. Text of functions and servers cannot act on the terminal: control characters are shown as
escapes.

With \`--json\` stdout is one JSON value (with \`--follow\` one a line) and nothing else is said. Members that are named above stay what they are; new ones may come. What fails is \`{"error":{"code","message","details"}}\`, with a code of [errors.md](errors.md), or \`unreachable\`, \`bad_answer\`, or \`failed\` for what the command itself refuses.

Moments are \`10m\`, \`2h\`, \`3d\` (ago), a date and time (\`2026-01-31T12:00:00Z\`), or Unix time in ms.
`;

function entrySection(entry: Entry): string {
  return isGroup(entry) ? groupSection(entry) : commandSection(entry, nameOf(entry), "###");
}

function groupSection(group: CommandGroup): string {
  const usual =
    group.default === undefined
      ? []
      : [`Without a verb: \`isola ${group.name} ${group.default}\`.`];
  return [
    `### isola ${group.name}`,
    `${group.summary}.`,
    ...usual.map((text) => `\n${text}`),
    ...(group.details ?? []).map((text) => `\n${text}`),
    "",
    ...group.commands.map((verb) => commandSection(verb, `${group.name} ${nameOf(verb)}`, "####")),
  ].join("\n");
}

function commandSection(command: Command, path: string, level: string): string {
  const { summary, details = [], positionals = {}, examples = [], json } = command;
  const places = placesOf(command).flatMap(({ name }) => {
    const help = positionals[name]?.help;
    return help === undefined ? [] : [tableRow([`\`${name}\``, help])];
  });
  // What nearly all take is told once.
  const flags = flagsOf(command).filter(({ long }) => !shared.has(long));
  const rows = flags.map((flag) => {
    const [name, help] = flagRow(flag);
    return tableRow([`\`${name}\``, help]);
  });
  const parts = [
    `${level} isola ${path}\n\`${usageLine(command, path)}\``,
    `${summary}.`,
    ...details,
    ...(places.length > 0 ? [table(["Argument", "What"], places)] : []),
    ...(rows.length > 0 ? [table(["Flag", "What"], rows)] : []),
    ...(examples.length > 0 ? [exampleBlock(examples)] : []),
    ...(json === undefined ? [] : [`JSON: ${json}.`]),
  ];
  return `${parts.join("\n\n")}\n`;
}

const shared = new Set(["--json", "--help", "--context"]);

function exampleBlock(examples: NonNullable<Command["examples"]>): string {
  const length = Math.max(...examples.map(({ line }) => line.length));
  const lines = examples.map(({ line, says }) => `${line.padEnd(length)}  # ${says}`);
  return `\`\`\`sh no-run: names are examples; cli/src/commands.test.ts reads each line\n${lines.join("\n")}\n\`\`\``;
}
