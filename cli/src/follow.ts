import { setTimeout as delay } from "node:timers/promises";
import { ApiError } from "@isola/api/client";
import type { TailEvent } from "@isola/api/event-stream";
import type { Context, Result } from "./command.ts";

const REOPEN_MS = 1000;

interface Followed<T extends { id: string }> {
  /** Begins now, or behind the item with that id. */
  open(lastEventId?: string): Promise<AsyncGenerator<TailEvent<T>>>;
  /** What there is before. */
  list(): Promise<T[]>;
  show(item: T): Result;
}

/**
 * Shows what there is, and then each new item once, until Ctrl-C. A tail that breaks off is opened again behind what it gave last; what a server refuses ends the
 * command.
 */
export async function follow<T extends { id: string }>(
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
