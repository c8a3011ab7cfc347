import { LineCounter, type Node, isAlias, isMap, isScalar, isSeq, parseDocument } from "yaml";

/** Something wrong with a definition, for a person: where it stands, and what. */
export interface Problem {
  /** From 1; null where no line is meant. */
  line: number | null;
  text: string;
}

export type Path = readonly (string | number)[];

export interface YamlDocument {
  /** Undefined where there are problems. */
  value: unknown;
  problems: Problem[];
  /** Of what stands at this path, or of the nearest that is there above it. */
  lineOf(path: Path): number;
}

/** How often aliases may multiply what they name. */
const ALIASES_MAX = 100;
const PROBLEMS_MAX = 100;
const SYNTAX_ERRORS_MAX = 3;

/** Reads YAML 1.2 of a bounded length, with merge keys, so that everything in it still knows its line. Never throws. */
export function readYaml(text: string): YamlDocument {
  const lines = new LineCounter();
  const failed = (problems: Problem[]): YamlDocument => ({
    value: undefined,
    problems: problems.slice(0, PROBLEMS_MAX),
    lineOf: () => 1,
  });
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      merge: true,
      prettyErrors: false,
      uniqueKeys: false, // looked for below: the parser takes quadratic time
    });
    const lineAt = (offset: number) => lines.linePos(offset).line;
    // Where YAML is malformed, what comes after the first faults follows from them.
    const wrong = document.errors.slice(0, SYNTAX_ERRORS_MAX).map((error) => {
      const line = lineAt(error.pos[0]);
      return { line, text: error.message + hintFor(error.message, text.split("\n")[line - 1]) };
    });
    const problems = [...wrong, ...duplicates(document.contents, lineAt)];
    if (problems.length > 0) return failed(problems);
    return {
      value: document.toJS({ maxAliasCount: ALIASES_MAX }),
      problems: [],
      lineOf: (path) => lineOf(document.contents, path, lineAt),
    };
  } catch (error) {
    // Aliases that multiply, aliases of nothing, and nesting beyond the stack.
    return failed([{ line: null, text: (error as Error).message }]);
  }

  function lineOf(contents: Node | null, path: Path, lineAt: (offset: number) => number): number {
    let node: unknown = contents;
    let line = 1;
    for (const step of path) {
      if (isAlias(node)) node = node.source ? anchored(contents, node.source) : null;
      const pair = isMap(node) ? node.items.find(({ key }) => keyOf(key) === step) : undefined;
      const next = pair?.value ?? (isSeq(node) ? node.items[Number(step)] : undefined);
      const offset = ((pair?.key ?? next) as Node | undefined)?.range?.[0];
      if (offset === undefined) return line;
      line = lineAt(offset);
      node = next;
    }
    return line;
  }
}

/** `{ memoryMiB: ${MEMORY} }` reads as a mapping in a mapping, `cron: * * * * *` as aliases. */
function hintFor(message: string, line = ""): string {
  const isStar = /\balias\b/i.test(message);
  const first = isStar ? "*" : /reserved character (.)/.exec(message)?.[1];
  if (first !== undefined) return ` (a value that begins with ${first} stands in quotes)`;
  const at = line.search(/[^"'\w]\$\{/);
  const isInside = at > 0 && /[{[]/.test(line.slice(0, at));
  return isInside ? " (inside { } and [ ] a variable stands in quotes)" : "";
}

function duplicates(contents: unknown, lineAt: (offset: number) => number): Problem[] {
  const problems: Problem[] = [];
  const rest = [contents];
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    if (isSeq(node)) rest.push(...node.items);
    if (!isMap(node)) continue;
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      const name = keyOf(key);
      if (seen.has(name) && name !== "<<") {
        const line = lineAt((key as Node).range?.[0] ?? 0);
        problems.push({ line, text: `${name} stands here twice; only one of a name is taken` });
      }
      seen.add(name);
      rest.push(value ?? null);
    }
  }
  return problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function keyOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function anchored(contents: unknown, name: string): unknown {
  const rest = [contents];
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor === name) return node;
    if (isSeq(node)) rest.push(...node.items);
    if (isMap(node)) rest.push(...node.items.map(({ value }) => value ?? null));
  }
  return null;
}
