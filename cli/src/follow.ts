import { setTimeout as delay } from "node:timers/promises";
import { ApiError } from "@isola/client";
import type { TailEvent } from "@isola/client";
import type { Page } from "@isola/api/shapes";
import { paintStates } from "./colors.ts";
import { type Context, type Options, type Result, usageFailure } from "./command.ts";
import { integerOption } from "./arguments.ts";
import { type MomentRange, rangeOptions } from "./moment.ts";
import { collectPages } from "./pages.ts";

const REOPEN_MS = 1000;

/** What a list and its live tail are called with. */
interface Opening {
  signal: AbortSignal;
  lastEventId?: string;
}

export interface Listed<T extends { id: string }> {
  /** How many without `--limit`. */
  limit: number;
  /** What is shown where there are none. */
  none: string;
  page(more: MomentRange & { order: "newest"; cursor?: string; limit: number }): Promise<Page<T>>;
  /** Begins now, or behind the item with that id. */
  tail(opening: Opening): Promise<AsyncGenerator<TailEvent<T>>>;
  /** One line. */
  text(item: T): string;
}

/** The newest items of a list, oldest first, by `--limit`, `--since` and `--until`; with `--follow` each new one too, until Ctrl-C. */
export async function listOrFollow<T extends { id: string }>(
  context: Context,
  options: Options,
  { limit: limitDefault, none, page, tail, text }: Listed<T>,
): Promise<Result> {
  const limit = integerOption(options, "limit", "--limit") ?? limitDefault;
  const range = rangeOptions(options);
  const list = async () => {
    const newest = await collectPages(
      (more) => page({ ...range, order: "newest", ...more }),
      limit,
    );
    return newest.reverse();
  };
  if (options.follow !== true) {
    const items = await list();
    return { json: { items }, text: items.map(text).join("\n") || none, paint: paintStates };
  }
  if (range.until !== undefined) throw usageFailure("--until and --follow exclude each other");
  const { signal } = context;
  await follow<T>(context, {
    open: (lastEventId) => tail({ signal, ...(lastEventId && { lastEventId }) }),
    list,
    show: (item) => ({ json: item, text: text(item), paint: paintStates }),
  });
  return { json: undefined, text: "" };
}

interface Followed<T extends { id: string }> {
  open(lastEventId?: string): Promise<AsyncGenerator<TailEvent<T>>>;
  /** What there is before. */
  list(): Promise<T[]>;
  show(item: T): Result;
}

/**
 * Shows what there is, and then each new item once. A tail that breaks off is opened again behind what it gave last; what a server refuses ends the
 * command.
 */
async function follow<T extends { id: string }>(
  context: Context,
  { open, list, show }: Followed<T>,
): Promise<void> {
  // Opened before the list is read, so that nothing falls between the two.
  let tail: AsyncGenerator<TailEvent<T>> | null = await open();
  const listed = await list();
  for (const item of listed) context.emit(show(item));
  const known = new Set(listed.map(({ id }) => id));
  let last = listed.reduce((most, { id }) => Math.max(most, Number(id)), 0);
  while (!context.signal.aborted) {
    try {
      tail ??= await open(last === 0 ? undefined : String(last));
      for await (const event of tail) {
        if (event.type === "end") context.note(`the server ends the tail: ${event.reason}`);
        if (event.type === "dropped") context.emit(shownDropped(event.count));
        if (event.type !== "item" || known.has(event.item.id)) continue;
        last = Math.max(last, Number(event.item.id));
        context.emit(show(event.item));
      }
    } catch (error) {
      if (context.signal.aborted) return;
      if (!(error instanceof ApiError) || !mayPass(error)) throw error;
      context.note(error.message);
    }
    tail = null;
    await delay(REOPEN_MS, undefined, { signal: context.signal }).catch(() => {}); // Ctrl-C ends the loop
  }
}

/** A server that starts again, or that has no room now. */
function mayPass({ code, status }: ApiError): boolean {
  return code === "unreachable" || status === 429 || status === 503;
}

function shownDropped(dropped: number): Result {
  return { json: { dropped }, text: `(${dropped} left out: read too slowly)` };
}
