import type { Readable, Writable } from "node:stream";
import { styleText } from "node:util";

const LINE_CHARS_MAX = 65_536;
const levels: Record<number, string> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};
const colours = { warn: "yellow", error: "red", fatal: "red" } as const;

/** Where log lines of all processes go: JSON as it is, or one readable line each on a terminal. */
export type LogSink = (line: string) => void;

export function logSink(output: Writable & { isTTY?: boolean }): LogSink {
  output.on("error", () => {}); // whoever read the log has gone; serving goes on without one
  if (!output.isTTY) return (line) => void output.write(`${line}\n`);
  return (line) => void output.write(`${readable(line)}\n`);
}

/**
 * Calls back with every line of a stream. A line that is longer than 65,536 characters is cut there and the rest dropped, so that a process that writes without
 * line feeds costs a bounded amount of memory.
 */
export function forEachLine(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = chunk.split("\n");
    for (const [index, part] of lines.entries()) {
      if (rest.length < LINE_CHARS_MAX) rest += part.slice(0, LINE_CHARS_MAX - rest.length);
      if (index === lines.length - 1) return;
      onLine(rest);
      rest = "";
    }
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}

/** A pino line, or what a dying process wrote, which becomes one. */
export function asLogLine(line: string, role: string): string | null {
  if (line.startsWith('{"level":')) return line;
  if (line.trim() === "") return null;
  return JSON.stringify({ level: 50, time: Date.now(), role, msg: line });
}

function readable(line: string): string {
  const record = parseRecord(line);
  if (!record) return printable(line);
  const { level, time, role, msg, err, ...fields } = record;
  const name = levels[Number(level)] ?? "info";
  const clock = new Date(Number(time)).toTimeString().slice(0, 8);
  const shownName = name in colours ? styleText(colours[name as "warn"], name) : name;
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${inline(value)}`);
  const { stack } = (err ?? {}) as { stack?: string };
  const text = [inline(msg ?? ""), ...rest].join("  ") + (stack ? `\n${stack}` : "");
  return `${styleText("dim", clock)} ${shownName} ${styleText("dim", inline(role))} ${printable(text)}`;
}

function parseRecord(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null; // shown as it is
  }
}

function inline(value: unknown): string {
  return typeof value === "string" ? value : String(JSON.stringify(value));
}

/** Log text may hold what a caller or a function sent: nothing in it reaches the terminal as a command. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
