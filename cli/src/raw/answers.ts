import { ApiError } from "@isola/client";
import { Failure } from "../command.ts";

const BODY_BYTES_MAX = 64 * 1024 * 1024;
const PAGES_MAX = 1_000;

export function isJsonType(response: Response): boolean {
  return /^application\/([\w.+-]+\+)?json\b/i.test(response.headers.get("content-type") ?? "");
}

/** Rejects with `unreachable` where the body breaks off. */
export async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  try {
    yield* response.body ?? [];
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // fetch's own, which tells of the network
    throw new ApiError(`the answer of ${new URL(response.url).origin} broke off`, {
      status: 0,
      code: "unreachable",
      cause: error,
    });
  }
}

/** The body: what JSON it is, else its text; null: there is none. */
export async function readWhole(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(response)) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX)
      throw new Failure(`the answer is larger than ${BODY_BYTES_MAX} bytes: leave out --json`);
    chunks.push(chunk);
  }
  const whole = Buffer.concat(chunks);
  if (whole.length === 0) return null;
  const text = whole.toString("utf8");
  if (isJsonType(response)) return parsed(text);
  if (Buffer.from(text).equals(whole)) return text;
  throw new Failure("the answer is neither JSON nor a text: leave out --json to have its bytes");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // it says JSON and is none: shown as it is
  }
}

export interface Pages {
  items: unknown[];
  pages: number;
  /** The answer that was no page; null: all pages were. */
  failed: Response | null;
  reason: string;
}

/** Follows `nextCursor` to its end. */
export async function pagesOf(
  read: (path: string) => Promise<Response>,
  path: string,
): Promise<Pages> {
  const items: unknown[] = [];
  let asked = path;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const response = await read(asked);
    const body = await readWhole(response);
    if (response.status >= 400) {
      const reason = typeof body === "string" ? body : JSON.stringify(body);
      return { items, pages, failed: response, reason };
    }
    if (!isPage(body)) throw new Failure("--paginate needs a list: an answer with `items`");
    for (const item of body.items) items.push(item);
    const next = body.nextCursor;
    if (typeof next !== "string") return { items, pages: pages + 1, failed: null, reason: "" };
    asked = withCursor(path, next);
  }
  throw new Failure(`the list has more than ${PAGES_MAX} pages: add limit= to the path`);
}

function isPage(body: unknown): body is { items: unknown[]; nextCursor?: unknown } {
  return typeof body === "object" && body !== null && "items" in body && Array.isArray(body.items);
}

function withCursor(path: string, cursor: string): string {
  const [before = "", query = ""] = path.split("?", 2);
  const parameters = new URLSearchParams(query);
  parameters.set("cursor", cursor);
  return `${before}?${parameters.toString()}`;
}
