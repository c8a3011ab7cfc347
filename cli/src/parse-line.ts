import { parseArgs } from "node:util";
import { type Command, type CommandGroup, type Options, usageFailure } from "./command.ts";
import { didYouMean, nearest } from "./nearest.ts";
import { type Entry, type Flag, flagOf, flagsOf, helpOption, isGroup } from "./notation.ts";
import { contextOption, jsonOption, nameOf, placesOf } from "./notation.ts";

/** What a command line asks for. */
export type Parsed =
  | { kind: "run"; path: string; command: Command; args: string[]; options: Options }
  /** An empty path: of all commands. */
  | { kind: "help"; path: string; entry: Entry | null; isAsked: boolean }
  | { kind: "version" };

/** Reads a command line. Throws a usage failure; no message repeats what may be a secret (values of flags, arguments that are too many). */
export function parseLine(entries: readonly Entry[], argv: readonly string[]): Parsed {
  const { leading, rest } = leadingFlags(argv);
  const [name, ...more] = rest;
  if (leading.includes("--help") || leading.includes("-h"))
    return help(entries, name === undefined ? [] : wordsOf(rest));
  if (leading.includes("--version") || leading.includes("-V")) return { kind: "version" };
  if (name === undefined) return { kind: "help", path: "", entry: null, isAsked: false };
  if (name === "help") return help(entries, wordsOf(more));
  const entry = named(entries, name);
  const behind = [...leading, ...more];
  return isGroup(entry) ? ofGroup(entry, behind) : ofCommand(entry, nameOf(entry), behind);
}

const globalFlags = [
  contextOption,
  jsonOption,
  helpOption,
  { flags: "-V, --version", help: "" },
].map(flagOf);

/** Flags that may stand before the command. */
function leadingFlags(argv: readonly string[]): { leading: string[]; rest: string[] } {
  let at = 0;
  while (argv[at]?.startsWith("-")) {
    const text = argv[at] as string;
    const flag = globalFlags.find(({ long, short }) => [long, short].includes(nameIn(text)));
    if (flag === undefined)
      throw usageFailure(
        `expected a command before its flags, given: ${nameIn(text)}; \`isola help\` lists the commands`,
      );
    at += flag.value !== null && !text.includes("=") ? 2 : 1;
  }
  return { leading: argv.slice(0, at), rest: argv.slice(at) };
}

function wordsOf(argv: readonly string[]): string[] {
  return argv.filter((text) => !text.startsWith("-"));
}

function named(entries: readonly Entry[], name: string): Entry {
  const entry = entries.find((one) => nameOf(one) === name);
  if (entry !== undefined) return entry;
  const guess = didYouMean(name, entries.map(nameOf));
  throw usageFailure(`there is no command ${name}${guess || "; `isola help` lists them"}`);
}

/** `help`, `help projects`, `help projects create`. */
function help(entries: readonly Entry[], words: readonly string[]): Parsed {
  const [name, verb] = words;
  if (name === undefined) return { kind: "help", path: "", entry: null, isAsked: true };
  const entry = named(entries, name);
  if (verb === undefined || !isGroup(entry))
    return { kind: "help", path: name, entry, isAsked: true };
  const command = verbOf(entry, verb);
  if (command === undefined) throw noVerb(entry, verb);
  return { kind: "help", path: `${name} ${verb}`, entry: command, isAsked: true };
}

function ofGroup(group: CommandGroup, argv: readonly string[]): Parsed {
  const at = argv.findIndex((text) => !globalFlags.some(({ long }) => long === nameIn(text)));
  const word = argv[at];
  const verb = word === undefined ? undefined : verbOf(group, word);
  if (verb !== undefined)
    return ofCommand(verb, `${group.name} ${word}`, [...argv.slice(0, at), ...argv.slice(at + 1)]);
  if (argv.some((text) => text === "--help" || text === "-h"))
    return { kind: "help", path: group.name, entry: group, isAsked: true };
  const usual = group.default === undefined ? undefined : verbOf(group, group.default);
  if (usual === undefined) {
    if (word === undefined || word.startsWith("-"))
      return { kind: "help", path: group.name, entry: group, isAsked: false };
    throw noVerb(group, word);
  }
  // A word where the usual verb takes none can only have been meant as a verb.
  if (word !== undefined && !word.startsWith("-") && placesOf(usual).length === 0)
    throw noVerb(group, word);
  return ofCommand(usual, `${group.name} ${group.default}`, argv, group);
}

function verbOf(group: CommandGroup, word: string): Command | undefined {
  return group.commands.find((command) => nameOf(command) === word);
}

function noVerb(group: CommandGroup, word: string): Error {
  const verbs = group.commands.map(nameOf);
  const list = verbs.length > 1 ? `${verbs.slice(0, -1).join(", ")} or ${verbs.at(-1)}` : verbs[0];
  return usageFailure(`${group.name} takes ${list}, given: ${word}${didYouMean(word, verbs)}`);
}

function ofCommand(
  command: Command,
  path: string,
  argv: readonly string[],
  group?: CommandGroup,
): Parsed {
  if (command.isPassThrough) return { kind: "run", path, command, args: [...argv], options: {} };
  const flags = flagsOf(command);
  const { args, options } = read(argv, flags, (name) => unknownFlag(name, { flags, path, group }));
  if (options.help === true) return { kind: "help", path, entry: command, isAsked: true };
  checkNumber(args, command, path, group);
  return { kind: "run", path, command, args, options };
}

function read(argv: readonly string[], flags: readonly Flag[], unknown: (name: string) => Error) {
  const known = flags.map(({ long, short, value }) => [
    long.slice(2),
    { type: value === null ? "boolean" : "string", ...(short && { short: short.slice(1) }) },
  ]);
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(known) as Record<string, { type: "boolean" | "string" }>,
    ...{ strict: false, allowPositionals: true, tokens: true },
  });
  const args: string[] = [];
  const options: Record<string, string | boolean | readonly string[]> = {};
  for (const token of tokens) {
    if (token.kind === "positional") args.push(token.value);
    if (token.kind !== "option") continue;
    const flag = flags.find(({ long }) => long === `--${token.name}`);
    if (flag === undefined) throw unknown(token.rawName);
    const { value, inlineValue: isInline = false } = token;
    if (flag.value === null) {
      if (isInline) throw usageFailure(`${flag.long} takes no value`);
      options[flag.member] = !flag.isNegated;
      continue;
    }
    checkValue(value, isInline, flag, flags);
    const before = options[flag.member];
    options[flag.member] = flag.option.isRepeatable
      ? [...(Array.isArray(before) ? (before as string[]) : []), value as string]
      : (value as string);
  }
  return { args, options };
}

/** `--key` of `--key=secret`, `-k` of `-ksecret`. */
function nameIn(text: string): string {
  return text.startsWith("--") ? (text.split("=", 1)[0] as string) : text.slice(0, 2);
}

function checkValue(
  value: string | undefined,
  isInline: boolean,
  { long, value: what }: Flag,
  flags: readonly Flag[],
): void {
  if (value === undefined) throw usageFailure(`${long} takes a value: ${long} ${what}`);
  const next = isInline ? undefined : flags.find((one) => one.long === nameIn(value));
  if (next === undefined) return;
  throw usageFailure(
    `${long} takes a value, and ${next.long} follows; \`${long}=...\` gives one that begins so`,
  );
}

function unknownFlag(
  name: string,
  { flags, path, group }: { flags: readonly Flag[]; path: string; group?: CommandGroup },
): Error {
  const takers = group?.commands.filter((verb) => flagsOf(verb).some(({ long }) => long === name));
  const taker = takers?.[0];
  if (taker !== undefined)
    return usageFailure(`${path} takes no ${name}; isola ${group?.name} ${nameOf(taker)} does`);
  const long = flags.map((flag) => flag.long);
  const guess = name.startsWith("--") ? didYouMean(name, long) : "";
  const help = `; \`isola help ${path}\` lists what it takes`;
  return usageFailure(`${path} takes no ${name}${guess || help}`);
}

function checkNumber(
  args: readonly string[],
  command: Command,
  path: string,
  group?: CommandGroup,
): void {
  const places = placesOf(command);
  const usage = [`isola ${path}`, ...command.usage.split(" ").slice(1)].join(" ");
  const missing = places[args.length];
  if (missing?.isNeeded) throw usageFailure(`${path} needs the ${missing.name}: ${usage}`);
  if (args.length <= places.length || places.at(-1)?.isMany) return;
  const verb = group?.commands.map(nameOf).find((name) => args.includes(name));
  const order =
    verb === undefined ? "" : `; the verb comes first: isola ${group?.name} ${verb} ...`;
  // What stands where the usual verb takes a name was perhaps meant as a verb.
  const words = args.slice(0, args.length - places.length);
  const typo = group && words.find((word) => nearest(word, group.commands.map(nameOf)).length > 0);
  if (group !== undefined && typo !== undefined && verb === undefined) throw noVerb(group, typo);
  const most = places.length === 0 ? "no arguments" : `at most ${places.length}`;
  throw usageFailure(`${path} takes ${most}, given: ${args.length}${order || `; usage: ${usage}`}`);
}
