import { linesOf } from "./lines.ts";
import { cutOff } from "./transport.ts";

export const EVENT_STREAM_TYPE = "text/event-stream";

/** One event of a live tail. */
export type TailEvent<T> =
  /** Something new. */
  | { type: "item"; item: T }
  /** So many were left out: the reader was too slow, or too far behind. */
  | { type: "dropped"; count: number }
  /** The server ends the tail, and why. */
  | { type: "end"; reason: string };

/** The events of an answer that is a live tail. Ends where the server says so; rejects with `unreachable` where the answer breaks off. */
export async function* tailOf<T>(response: Response): AsyncGenerator<TailEvent<T>> {
  let name = "";
  let data = "";
  for await (const line of tailLinesOf(response)) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data = line.slice(6);
    if (line !== "" || data === "") continue;
    const event = eventOf<T>(name, data);
    [name, data] = ["", ""];
    if (event === null) continue;
    yield event;
    if (event.type === "end") return;
  }
  throw cutOff(response);
}

async function* tailLinesOf(response: Response): AsyncGenerator<string> {
  try {
    yield* linesOf(response.body);
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw cutOff(response, error);
  }
}

/** null: of a kind that this version does not know. */
function eventOf<T>(name: string, data: string): TailEvent<T> | null {
  const value = JSON.parse(data) as T & { count: number; reason: string };
  if (name === "log" || name === "event") return { type: "item", item: value };
  if (name === "dropped") return { type: "dropped", count: value.count };
  return name === "end" ? { type: "end", reason: value.reason } : null;
}
