import type { Fault } from "./links.ts";
import type { Page, Piece } from "./markdown.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Flags and words of other programs and platforms that pages name between backticks. */
export interface OtherWords {
  flags: ReadonlySet<string>;
  words: ReadonlySet<string>;
}

/** Commands, flags, variables, error codes and names that pages give and Isola does not have. */
export function spellingFaults(page: Page, known: Vocabulary, others: OtherWords): Fault[] {
  const shell = page.blocks.filter(({ language }) => language === "sh");
  const inBlocks = page.blocks.map(({ text, line }) => ({ text, line: line + 1 }));
  return [
    ...[...page.spans, ...shell.map(({ text, line }) => ({ text, line: line + 1 }))].flatMap(
      (piece) => faultsAt(page, piece, (text) => commandProblems(text, known)),
    ),
    ...[...page.spans, ...inBlocks].flatMap((piece) =>
      faultsAt(page, piece, (text) => variableProblems(text, known)),
    ),
    ...inBlocks.flatMap((piece) => faultsAt(page, piece, (text) => answerProblems(text, known))),
    ...page.spans.flatMap((piece) => faultsAt(page, piece, (text) => word(text, known, others))),
    ...page.paragraphs.flatMap((piece) =>
      faultsAt(page, piece, (text) => statusProblems(text, known)),
    ),
  ];
}

interface Problem {
  at: number;
  says: string;
}

function faultsAt(page: Page, { text, line }: Piece, find: (text: string) => Problem[]): Fault[] {
  return find(text).map(({ at, says }) => {
    const below = text.slice(0, at).split("\n").length - 1;
    return `${page.path}:${line + below}: ${says}`;
  });
}

/** A call of the command line up to what ends it; a line may go on behind a backslash. `exec isola` is a container of that name. */
const CALL = /(?:^|(?<!\bexec)[\s;&|($])(?:npm run isola --|isola) +((?:\\\n|[^\n|;&#`])*)/g;

function commandProblems(text: string, known: Vocabulary): Problem[] {
  const { commands, serverFlags } = known;
  return [...text.matchAll(CALL)].flatMap((match) => {
    const tokens = tokensOf(match[1] as string);
    const name = tokens.find((token) => !token.startsWith("-"));
    const at = match.index;
    if (name === undefined || !/^[a-z][a-z-]*$/.test(name)) return [];
    const flags = name === "up" ? serverFlags : flagsOf(tokens, commands);
    if (flags === undefined) return [{ at, says: `isola has no command ${name}` }];
    const verb = unknownVerb(tokens, known);
    if (verb !== null) return [{ at, says: `isola ${name} has no command ${verb}` }];
    return tokens
      .filter((token) => /^--[a-z]/.test(token))
      .map((token) => /^--[\w-]+/.exec(token)?.[0] ?? "")
      .filter((flag) => !flags.has(flag))
      .map((flag) => ({ at, says: `isola ${name} has no flag ${flag}` }));
  });
}

/** Without what stands between quotes, which may hold anything. */
function tokensOf(call: string): string[] {
  return call
    .replace(/\\\n/g, " ")
    .replace(/'[^']*'|"[^"]*"/g, "''")
    .split(/\s+/)
    .filter(Boolean);
}

function flagsOf(
  tokens: readonly string[],
  commands: Vocabulary["commands"],
): ReadonlySet<string> | undefined {
  const [name = "", second = ""] = tokens.filter((token) => !token.startsWith("-"));
  return commands.get(`${name} ${second}`) ?? commands.get(name);
}

/** What follows a group's name is one of its verbs. Of an open one it may be a name, but then no verb comes behind it. */
function unknownVerb(
  tokens: readonly string[],
  { commands, openGroups }: Vocabulary,
): string | null {
  const [name = "", second, third] = tokens.slice(
    tokens.findIndex((token) => !token.startsWith("-")),
  );
  const isGroup = [...commands.keys()].some((key) => key.startsWith(`${name} `));
  if (!isGroup || second === undefined || !/^[a-z<][a-z<>-]*$/.test(second)) return null;
  if (commands.has(`${name} ${second}`)) return null;
  if (openGroups.has(name)) return commands.has(`${name} ${third}`) ? second : null;
  return second.startsWith("<") ? null : second;
}

function variableProblems(text: string, { variables }: Vocabulary): Problem[] {
  return [...text.matchAll(/\bISOLA_[A-Z0-9_]*[A-Z0-9](?![\w*]|_\*)/g)]
    .filter(([name]) => !variables.has(name))
    .map((match) => ({ at: match.index, says: `nothing reads ${match[0]}` }));
}

/** A whole span that is a flag or a name. */
function word(text: string, known: Vocabulary, others: OtherWords): Problem[] {
  const flag = /^(--[a-z][\w-]*)(?:[= ].*)?$/.exec(text)?.[1];
  if (flag !== undefined && !others.flags.has(flag) && !hasFlag(flag, known)) {
    return [{ at: 0, says: `no command has the flag ${flag}` }];
  }
  const name = /^([a-z]\w*(?:[A-Z_]\w*)+)(?:\(\))?$/.exec(text)?.[1];
  if (name === undefined || known.identifiers.has(name) || others.words.has(name)) return [];
  return [{ at: 0, says: `nothing in the sources is called ${name}` }];
}

function hasFlag(flag: string, { commands, serverFlags }: Vocabulary): boolean {
  return serverFlags.has(flag) || [...commands.values()].some((flags) => flags.has(flag));
}

/** `504 \`function_timeout\``, also as cells of a table: a status of an answer and its code. */
function statusProblems(text: string, { errorCodes }: Vocabulary): Problem[] {
  return [...text.matchAll(/\b[45]\d\d(?: \+ `Retry-After`)?(?: \|)? `([a-z][a-z_]+)`/g)]
    .filter((match) => !errorCodes.has(match[1] as string))
    .map((match) => ({ at: match.index, says: `no error has the code ${match[1]}` }));
}

/** The code in an error's body that a block shows. */
function answerProblems(text: string, { errorCodes }: Vocabulary): Problem[] {
  return [...text.matchAll(/"error":\s*\{\s*"code":\s*"(\w+)"/g)]
    .filter((match) => !errorCodes.has(match[1] as string))
    .map((match) => ({ at: match.index, says: `no error has the code ${match[1]}` }));
}

const API_PATH = /(?:\b(GET|POST|PUT|PATCH|DELETE) )?(\/api\/v\d+(?:\/[\w<>{}$.:*-]+)*\/?)/g;

/** Paths of the API that its description does not have; `<name>` and `{name}` stand for any segment, `/*` for what begins so. */
export function apiFaults(page: Page, openApi: OpenApi): Fault[] {
  const places = [
    ...page.spans,
    ...page.blocks.map(({ text, line }) => ({ text, line: line + 1 })),
  ];
  return places.flatMap((piece) => faultsAt(page, piece, (text) => apiProblems(text, openApi)));
}

export interface OpenApi {
  paths: Record<string, Record<string, unknown>>;
}

function apiProblems(text: string, { paths }: OpenApi): Problem[] {
  return [...text.matchAll(API_PATH)].flatMap((match) => {
    const [, method, path = ""] = match;
    const isPart = /\/\*?$|\.\.\.$/.test(path);
    const asked = segmentsOf(path.replace(/\/?(\*|\.\.\.)$/, ""));
    const found = Object.entries(paths).filter(([known]) => fits(segmentsOf(known), asked, isPart));
    if (found.length === 0) return [{ at: match.index, says: `the API has no path ${path}` }];
    const isKnown = found.some(
      ([, methods]) => isPart || !method || method.toLowerCase() in methods,
    );
    return isKnown ? [] : [{ at: match.index, says: `the API has no ${method} ${path}` }];
  });
}

function segmentsOf(path: string): string[] {
  return path
    .replace(/[.:]+$/, "")
    .split("/")
    .filter(Boolean);
}

function fits(known: readonly string[], asked: readonly string[], isPart: boolean): boolean {
  if (isPart ? known.length < asked.length : known.length !== asked.length) return false;
  return asked.every((segment, at) => known[at] === segment || /^[{]/.test(known[at] as string));
}
