import type { LogLineView, LogView } from "@isola/api/logs";
import type { LogRecord } from "../domain/invocation.ts";
import { messageIn } from "../domain/log-level.ts";
import type { StoredLog } from "../store/store.ts";
import { isoTime } from "./function-view.ts";
import { recognised } from "./recognised.ts";

export function logView(given: LogRecord): LogView {
  const line = recognised(given);
  return {
    at: isoTime(line.at),
    invocationId: line.invocationId,
    revision: line.revision,
    sandboxId: line.sandboxId,
    stream: line.stream,
    level: line.level,
    text: line.text,
    message: messageIn(line.text),
    truncated: line.truncated,
  };
}

export function logLineView(line: StoredLog): LogLineView {
  return { id: String(line.seq), functionName: line.functionName, ...logView(line) };
}
