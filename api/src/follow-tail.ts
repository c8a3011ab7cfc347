import { ApiError } from "./api-error.ts";
import type { TailEvent } from "./event-stream.ts";
import { pause } from "./retry.ts";

const PAUSE_MS = 500;
const PAUSE_MS_MAX = 10_000;
/** Attempts in a row that opened nothing: about five minutes. */
const REOPENINGS_MAX = 30;

export interface FollowOptions {
  /** Ends the tail: the loop over it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Begins behind the item with this id instead of now. */
  lastEventId?: string;
  /** Hears how many items were left out, because they were not read fast enough or lay too far behind. */
  onDropped?(count: number): void;
}

export interface Followed<T> {
  open(options: {
    signal?: AbortSignal;
    lastEventId?: string;
  }): Promise<AsyncGenerator<TailEvent<T>>>;
  /** Id of the newest item that there is; null: none. */
  newestId(signal: AbortSignal | undefined): Promise<string | null>;
}

/**
 * Each new item once. A tail that breaks off, or that the server ends, is opened again behind what came last, with growing pauses. Rejects with `ApiError` where the server refuses,
 * or after 30 attempts in a row.
 */
export async function* followTail<T extends { id: string }>(
  { open, newestId }: Followed<T>,
  { signal, lastEventId, onDropped }: FollowOptions,
): AsyncGenerator<T> {
  const own = signal === undefined ? {} : { signal };
  let last = lastEventId;
  let given = Number(lastEventId ?? -1);
  let failures = 0;
  for (;;) {
    try {
      // Known before anything came, so that the next one can begin there should this one break off.
      last ??= (await newestId(signal)) ?? "0";
      const tail = await open({ ...own, lastEventId: last });
      failures = 0;
      for await (const event of tail) {
        if (event.type === "dropped") onDropped?.(event.count);
        if (event.type !== "item" || Number(event.item.id) <= given) continue;
        last = event.item.id;
        given = Number(last);
        yield event.item;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ApiError) || !mayPass(error) || failures >= REOPENINGS_MAX)
        throw error;
    }
    failures += 1;
    await pause(Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** (failures - 1)), signal);
  }
}

/** A server that starts again, or that has no room now. */
function mayPass({ code, status }: ApiError): boolean {
  return code === "unreachable" || [429, 502, 503, 504].includes(status);
}
