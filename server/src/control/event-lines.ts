import { PassThrough, type Readable } from "node:stream";
import type { ImageEvent } from "@isola/api/images";
import { asIsolaError, errorBody } from "./error-answer.ts";
import type { Log } from "./ports.ts";

/** What a caller has not read yet; progress above it is left out. */
const UNREAD_BYTES_MAX = 1_048_576;

/** What long work tells, as lines of JSON; the last one is `done` or `error`. A caller who goes away does not end the work, as others may wait for it, unless it heeds `gone`. */
export function eventLines(
  log: Log,
  requestId: string,
  work: (tell: (event: ImageEvent) => void, gone: AbortSignal) => Promise<void>,
): Readable {
  const lines = new PassThrough({ highWaterMark: UNREAD_BYTES_MAX });
  const hasRoom = () => lines.readableLength + lines.writableLength < UNREAD_BYTES_MAX;
  const tell = (event: ImageEvent) => {
    if (lines.destroyed) return;
    if (event.type !== "progress" || hasRoom()) lines.write(`${JSON.stringify(event)}\n`);
  };
  const gone = new AbortController();
  lines.on("error", () => {}); // the caller has gone
  lines.on("close", () => gone.abort());
  const run = async () => {
    try {
      await work(tell, gone.signal);
      tell({ type: "done" });
    } catch (error) {
      const failure = asIsolaError(error);
      const { code } = failure;
      if (code === "internal_error")
        log.error({ requestId, err: error }, "a build failed by a defect");
      tell({ type: "error", error: errorBody(failure, requestId).error });
    }
  };
  void run().finally(() => lines.end());
  return lines;
}
