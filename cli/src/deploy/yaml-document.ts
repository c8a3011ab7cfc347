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
    const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
    const foreign = notJson(value).map(({ path, text: what }) => {
      const place = path.length === 0 ? "the file" : spelled(path);
      return { line: lineOf(document.contents, path, lineAt), text: `${place}: ${what}` };
    });
    if (foreign.length > 0) return failed(foreign);
    return { value, problems: [], lineOf: (path) => lineOf(document.contents, path, lineAt) };
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

/** YAML has values that JSON has not: they would come to the server as something else. */
function notJson(value: unknown, path: Path = [], above: readonly unknown[] = []) {
  const wrong = wordFor(value, above);
  if (wrong !== null) return [{ path, text: `expected a value that JSON has, given ${wrong}` }];
  if (typeof value !== "object" || value === null) return [];
  const found: { path: Path; text: string }[] = [];
  for (const [name, member] of Object.entries(value)) {
    const step = Array.isArray(value) ? Number(name) : name;
    found.push(...notJson(member, [...path, step], [...above, value]));
    if (found.length > PROBLEMS_MAX) break;
  }
  return found;
}

/** null: JSON has it. */
function wordFor(value: unknown, above: readonly unknown[]): string | null {
  if (typeof value === "number") return Number.isFinite(value) ? null : String(value);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return above.includes(value) ? "a list that is in itself" : null;
  if (above.includes(value)) return "a mapping that is in itself";
  if (Object.getPrototypeOf(value) === Object.prototype) return null;
  return value instanceof Uint8Array ? "!!binary" : `!!${value.constructor.name.toLowerCase()}`;
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

/** `functions.a.route.methods[0]`. */
export function spelled(path: Path): string {
  return path
    .map((step, at) => {
      if (typeof step === "number") return `[${step}]`;
      const text = /^[\w$-]+$/.test(step) ? step : `[${JSON.stringify(step)}]`;
      return at === 0 || text.startsWith("[") ? text : `.${text}`;
    })
    .join("");
}
