import { basename, join, relative, resolve } from "node:path";
import { textOption } from "../arguments.ts";
import { type Command, type Context, type Options, type Result, usageFailure } from "../command.ts";
import { askFor } from "../init/ask.ts";
import { problemOfName } from "../init/function-name.ts";
import { firstCurl, projectFiles } from "../init/project-files.ts";
import { type Template, languages, readTemplates } from "../init/templates.ts";
import { refuseUnfit, writeProject } from "../init/write-project.ts";
import { didYouMean } from "../nearest.ts";
import { quotedForShell } from "../quoted-for-shell.ts";

export const initCommand: Command = {
  usage: "init [dir]",
  summary: "Begin a function: write the files of a template into a new folder",
  positionals: {
    dir: { help: "new or empty; left out: named for the function", completes: "folder" },
  },
  options: [
    {
      flags: "--template <name>",
      help: "what to begin with, as hello-js; --list has all",
      get completes() {
        return readTemplates().map(({ id }) => id);
      },
    },
    { flags: "--name <name>", help: "of the function; left out: that of the folder" },
    { flags: "--force", help: "write beside other files, too; none is overwritten" },
    { flags: "--list", help: "list the templates" },
  ],
  examples: [
    { line: "isola init", says: "asks for the language, what it is, and a name" },
    { line: "isola init shop --template hono-ts", says: "a folder `shop` with a Hono app" },
    { line: "isola init --list", says: "what there is to begin with" },
  ],
  details: [
    "At a terminal it asks for what is left out. The files are written all or not at all. `isola.yaml` gets the function's name and, for editors, the address of its schema; [templates.md](templates.md) has the templates.",
  ],
  json: "`name`, `template`, `folder`, `files`, and `next`, the commands to go on with; `--list`: `templates`",
  async run(context, [dir], options) {
    const templates = readTemplates();
    if (options.list === true) return listed(templates);
    if (dir === "") throw usageFailure("expected a folder, given an empty text");
    const isForced = options.force === true;
    if (dir !== undefined) refuseUnfit(resolve(context.cwd, dir), { isForced });
    const { template, name } = await choiceOf(context, { templates, dir, options });
    const target = resolve(context.cwd, dir ?? name);
    const schemaUrl = schemaUrlOf(context.url);
    const files = projectFiles(template, { name, schemaUrl });
    context.signal.throwIfAborted();
    writeProject(target, files, { isForced });
    return told(context, { template, name, target, files });
  },
};

interface Given {
  templates: readonly Template[];
  dir: string | undefined;
  options: Options;
}

async function choiceOf(
  context: Context,
  { templates, dir, options }: Given,
): Promise<{ template: Template; name: string }> {
  const template = namedTemplate(templates, textOption(options, "template"));
  const name = givenName(context, dir, options);
  if (context.terminal !== null && (template === undefined || name === undefined))
    return askFor(context.terminal, templates, { template, name });
  if (template === undefined)
    throw usageFailure(
      "There is nobody to ask: say what to begin with by --template; `isola init --list` lists the templates",
    );
  return { template, name: name ?? template.id };
}

function namedTemplate(templates: readonly Template[], id: string | undefined) {
  if (id === undefined) return undefined;
  const found = templates.find((each) => each.id === id);
  if (found !== undefined) return found;
  const meant = didYouMean(
    id,
    templates.map((each) => each.id),
  );
  throw usageFailure(`there is no template ${id}${meant || "; `isola init --list` lists them"}`);
}

/** By `--name`, or as the folder is called; undefined where neither is said. */
function givenName(
  context: Context,
  dir: string | undefined,
  options: Options,
): string | undefined {
  const name = textOption(options, "name");
  if (name === undefined && dir === undefined) return undefined;
  const meant = name ?? basename(resolve(context.cwd, dir as string));
  const problem = problemOfName(meant);
  if (problem === null) return meant;
  throw usageFailure(
    name === undefined
      ? `the folder's name is no name for a function: ${problem}; say another by --name`
      : `--name: ${problem}`,
  );
}

/** Without credentials that the address may hold: it goes into a file that is shared. */
function schemaUrlOf(url: string): string {
  return new URL("/isola.schema.json", new URL(url).origin).href;
}

function listed(templates: readonly Template[]): Result {
  const width = Math.max(...templates.map(({ id }) => id.length));
  const text = languages.map((language) => {
    const lines = templates
      .filter((each) => each.language === language)
      .map(({ id, description }) => `  ${id.padEnd(width)}  ${description}`);
    return [language, ...lines].join("\n");
  });
  const json = templates.map(({ id, kind, title, description, language, settings }) => ({
    ...{ name: id, title, description, language, kind },
    ...{ runtime: settings.runtime, handler: settings.handler },
  }));
  return { json: { templates: json }, text: text.join("\n") };
}

interface Made {
  template: Template;
  name: string;
  target: string;
  files: ReadonlyMap<string, string>;
}

function told(context: Context, { template, name, target, files }: Made): Result {
  const path = quotedForShell(relative(context.cwd, target) || ".");
  const isola = context.env.npm_lifecycle_event === "isola" ? "npm run isola --" : "isola";
  const next = [
    `${isola} dev ${path}`,
    `${isola} deploy ${path}`,
    ...firstRuns(isola, { template, name, files }),
  ];
  const readme = quotedForShell(join(relative(context.cwd, target), "README.md"));
  return {
    json: { name, template: template.id, folder: target, files: [...files.keys()], next },
    text: [
      `${name}: made of ${template.id} in ${target}`,
      ...next.map((line) => `  ${line.replaceAll("\n", "\n  ")}`),
      `${readme} says more`,
    ].join("\n"),
  };
}

/** How a function is run once it is deployed: what has a schedule by that, other functions as their README says. */
function firstRuns(isola: string, { template, name, files }: Omit<Made, "target">): string[] {
  const [schedule] = template.settings.schedules ?? [];
  if (schedule !== undefined)
    return [`${isola} schedules list ${name}`, `${isola} schedules run ${name} ${schedule.name}`];
  const curl = firstCurl(files.get("README.md") ?? "");
  return curl === null ? [] : [curl];
}
