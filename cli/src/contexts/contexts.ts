import { Failure, usageFailure } from "../command.ts";
import { didYouMean } from "../nearest.ts";

/** A server, and who is calling it. */
export interface ServerContext {
  url: string;
  /** Left out: ISOLA_API_KEY. */
  apiKey?: string;
  /** As `--project`. */
  project?: string;
}

/** What the file holds. */
export interface Contexts {
  current: string | null;
  contexts: Map<string, ServerContext>;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function checkName(name: string): void {
  if (!NAME.test(name))
    throw usageFailure(
      `a context's name has letters, digits, ".", "_" and "-", 63 at most, and begins with a letter or digit, given: ${name}`,
    );
}

/** The address as it is stored. No message repeats it: it may carry a password. */
export function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol))
    throw usageFailure("the address of a context is a URL like https://isola.example.org:8081");
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    throw usageFailure(
      "the address of a context has no user, password, query or fragment: the key is --key",
    );
  return url.href.replace(/\/+$/, "");
}

/** Of a context that must be there. */
export function contextOf({ contexts }: Contexts, name: string, source: string): ServerContext {
  const found = contexts.get(name);
  if (found !== undefined) return found;
  const guess = didYouMean(name, contexts.keys());
  const help = contexts.size === 0 ? "; `isola context add` makes one" : "; `isola context list`";
  throw usageFailure(`there is no context ${name} (${source})${guess || help}`);
}

/** Enough to tell keys apart. */
export function maskedKey(apiKey: string): string {
  const [, id] = /^isola_([A-Za-z0-9]+)_/.exec(apiKey) ?? [];
  return id === undefined ? "(given)" : `isola_${id}_...`;
}

/** Checks all of it: half a file is worse than none. */
export function parseContexts(text: string, path: string): Contexts {
  const damaged = (what: string) =>
    new Failure(`${path} is damaged: ${what}; mend it, or remove it and add the contexts again`);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw damaged("it is no JSON"); // the parser's own message could repeat a key
  }
  if (!isRecord(content) || !isRecord(content.contexts))
    throw damaged('expected {"current": ..., "contexts": {...}}');
  const contexts = new Map<string, ServerContext>();
  for (const [name, one] of Object.entries(content.contexts)) {
    if (!NAME.test(name) || !isServerContext(one))
      throw damaged(`contexts.${JSON.stringify(name)} needs a url, apiKey and project are texts`);
    contexts.set(name, one);
  }
  const { current } = content;
  if (current !== null && (typeof current !== "string" || !contexts.has(current)))
    throw damaged("current must be null or one of the contexts");
  return { current, contexts };
}

function isServerContext(value: unknown): value is ServerContext {
  if (!isRecord(value) || typeof value.url !== "string" || !URL.canParse(value.url)) return false;
  return [value.apiKey, value.project].every((one) => one === undefined || typeof one === "string");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
