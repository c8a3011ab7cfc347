import { setTimeout as delay } from "node:timers/promises";
import { ApiError, type Client } from "@isola/client";
import type { InvocationView } from "@isola/api/invocations";
import type { LogLineView } from "@isola/api/logs";

/** Calls reach the store about half a second after their end. */
const POLL_MS = 300;
const PAGE = 100;
/** Of one look; what is more is left out, and that is said. */
const PAGES_MAX = 5;
/** Calls that are remembered as shown. */
const KNOWN_MAX = 5000;
/** A call that began before is not looked for any more: none may run for longer. */
const LOOK_BACK_MS = 20 * 60_000;
const REOPEN_MS = 500;

export interface Feed {
  client: Client;
  signal: AbortSignal;
  onLog(line: LogLineView): void;
  onCall(call: InvocationView): void;
  /** More came than are shown. */
  onMissed(what: "lines" | "calls"): void;
  /** The server has gone (false) or is there again. */
  onThere(isThere: boolean): void;
}

/** Log lines and calls as they come, until `signal`; goes on behind the last line when the server is there again. Rejects with what the server refuses. */
export async function follow(feed: Feed): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([feed.signal, failed.signal]);
  const both = [followLogs({ ...feed, signal }), followCalls({ ...feed, signal })];
  try {
    await Promise.all(both);
  } catch (error) {
    failed.abort();
    await Promise.allSettled(both);
    if (!feed.signal.aborted) throw error;
  }
}

async function followLogs(feed: Feed): Promise<void> {
  const { client, signal } = feed;
  let last: string | undefined;
  let isThere = true;
  while (!signal.aborted) {
    try {
      const tail = await client.tailLogs({}, { signal, ...(last && { lastEventId: last }) });
      if (!isThere) feed.onThere(true);
      isThere = true;
      for await (const event of tail) {
        if (event.type === "dropped") feed.onMissed("lines");
        if (event.type !== "item") continue;
        last = event.item.id;
        feed.onLog(event.item);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isAway(error)) throw error;
      if (isThere) feed.onThere(false);
      isThere = false;
    }
    await pause(REOPEN_MS, signal);
  }
}

/** There is no tail of calls: the newest are asked for again and again. */
async function followCalls(feed: Feed): Promise<void> {
  const { signal } = feed;
  const known = new Set<string>();
  let isFirst = true;
  while (!signal.aborted) {
    try {
      const { calls, isCut } = await freshCalls(feed, known);
      for (const { id } of calls) known.add(id);
      for (const id of known) if (known.size > KNOWN_MAX) known.delete(id);
      // What was there before is not shown.
      if (!isFirst && isCut) feed.onMissed("calls");
      if (!isFirst) for (const call of calls) feed.onCall(call);
      isFirst = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!isAway(error)) throw error; // the tail of the log tells of it
    }
    await pause(POLL_MS, signal);
  }
}

/** Oldest first. Pages are read until one brings nothing new. */
async function freshCalls({ client, signal }: Feed, known: ReadonlySet<string>) {
  const calls: InvocationView[] = [];
  const since = Date.now() - LOOK_BACK_MS;
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = { since, limit: PAGE, ...(cursor && { cursor }) };
    const { items, nextCursor } = await client.listAllInvocations(query, { signal });
    const fresh = items.filter(({ id }) => !known.has(id));
    calls.push(...fresh);
    cursor = nextCursor ?? undefined;
    if (cursor === undefined || fresh.length === 0) break;
  }
  return { calls: calls.reverse(), isCut: calls.length === PAGES_MAX * PAGE };
}

/** A server that starts again, or has no room now. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.code === "unreachable" || error.status === 429 || error.status >= 500;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {}); // given up: the loop ends
}
