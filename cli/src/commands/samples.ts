import type { Command, CommandGroup } from "../command.ts";
import { table } from "../printable.ts";
import { readSample, sampleNames, sampleSummaries } from "../samples.ts";

const listVerb: Command = {
  usage: "list",
  summary: "List the sample events",
  json: "`items` with `name` and `summary`",
  async run() {
    const summaries = sampleSummaries();
    const rows = sampleNames().map((name): [string, string] => [name, summaries.get(name) ?? ""]);
    const items = rows.map(([name, summary]) => ({ name, summary }));
    return { json: { items }, text: table(["NAME", "WHAT"], rows) };
  },
};

const showVerb: Command = {
  usage: "show <name>",
  summary: "Show a sample event",
  positionals: { name: { help: "of the sample", completes: sampleNames() } },
  examples: [{ line: "isola samples show sqs > event.json", says: "a file to change and send" }],
  json: "the event",
  async run(_context, [name = ""]) {
    const { text } = readSample(name);
    return { json: JSON.parse(text), text };
  },
};

export const samplesCommands: CommandGroup = {
  name: "samples",
  summary: "Events to try functions with, in the shapes of common sources",
  default: "list",
  commands: [listVerb, showVerb],
};
