import type { LogRecord } from "../domain/invocation.ts";
import { levelOf } from "../domain/log-level.ts";

/** A line with the level that its text names. NUL, which not every store can keep, becomes the character that stands for what cannot be shown. */
export function recognised(line: LogRecord): LogRecord {
  const text = line.text.includes("\0") ? line.text.replaceAll("\0", "\ufffd") : line.text;
  const level = levelOf(line.level, text);
  return level === line.level && text === line.text ? line : { ...line, level, text };
}
