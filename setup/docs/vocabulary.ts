import { readFileSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../../cli/src/commands.ts";
import { describeSettings } from "../../server/src/config.ts";
import { errorCatalogue } from "../../server/src/errors.ts";
import { codeFolders, sourceFiles } from "../source-files.mjs";

/** What pages may name, read from where it is made. */
export interface Vocabulary {
  /** Flags of each command by its name; of a group `projects create` too. */
  commands: ReadonlyMap<string, ReadonlySet<string>>;
  /** Groups whose name may be followed by what their usual verb is about, in place of a verb. */
  openGroups: ReadonlySet<string>;
  /** Flags of the server. */
  serverFlags: ReadonlySet<string>;
  /** `ISOLA_*` */
  variables: ReadonlySet<string>;
  errorCodes: ReadonlySet<string>;
  /** Every word of the sources: what stands between backticks in camelCase or snake_case is one of them. */
  identifiers: ReadonlySet<string>;
}

/** What `defined` in cli/src/commands.ts is made of, as far as it matters here. */
interface Named {
  usage?: string;
  name?: string;
  options?: readonly { flags: string }[];
  commands?: readonly Named[];
  /** The verb of a group that runs where none is named. */
  default?: string;
}

const everywhere = ["--help", "--json", "--version", "--project", "--context"];

export function readVocabulary(root: string): Vocabulary {
  const settings = describeSettings();
  const words = wordsOf(root);
  const inSources = [...words].filter((word) => word.startsWith("ISOLA_"));
  return {
    openGroups: new Set(
      (commands as readonly Named[]).filter(isOpen).map(({ name }) => name ?? ""),
    ),
    commands: new Map([
      ...(commands as readonly Named[]).flatMap((one) => flagsOf(one, "")),
      ["help", new Set(everywhere)] as const,
    ]),
    serverFlags: new Set([...settings.map(({ flag }) => flag), "--config", ...everywhere]),
    variables: new Set([...settings.map(({ variable }) => variable), ...inSources]),
    errorCodes: new Set(Object.keys(errorCatalogue)),
    identifiers: words,
  };
}

function flagsOf(command: Named, before: string): [string, Set<string>][] {
  const name = `${before}${(command.name ?? command.usage ?? "").split(" ")[0]}`;
  const flags = (command.options ?? []).flatMap(({ flags: text }) => text.match(/--[\w-]+/g) ?? []);
  const below = (command.commands ?? []).flatMap((one) => flagsOf(one, `${name} `));
  const inherited = below.flatMap(([, set]) => [...set]);
  const taken = new Set([...flags, ...inherited, ...everywhere]);
  return [[name, taken], ...below];
}

function isOpen(command: Named): boolean {
  const usual = command.commands?.find(({ usage }) => usage?.split(" ")[0] === command.default);
  return usual?.usage?.includes(" ") ?? false;
}

const endings = [".ts", ".tsx", ".mjs", ".js", ".py", ".json", ".yaml", ".yml", ".toml", ".c"];
const folders = [...codeFolders, "templates", "images", "ops"];

/** Tests count too: they hold names of what is outside, such as fields of Lambda's events. */
function wordsOf(root: string): Set<string> {
  const words = new Set<string>();
  const paths = ["package.json", ...sourceFiles(root, endings, folders)];
  for (const path of paths) {
    if (path.startsWith("setup/docs/")) continue; // planted faults
    for (const [word] of readFileSync(join(root, path), "utf8").matchAll(/[A-Za-z_]\w*/g)) {
      words.add(word);
    }
  }
  return words;
}
