import type { LogLineView } from "@isola/api/logs";
import type { InvocationView } from "@isola/api/invocations";
import type { Paint } from "../colors.ts";
import type { Deployed } from "../deploy/apply.ts";
import { printableLine } from "../printable.ts";
import type { Place } from "./source-places.ts";

/** What `isola dev` tells, one at a time; with `--json` as it is, one object a line. */
export type DevEvent =
  | { event: "server"; url: string; isOwn: boolean }
  | DeployedEvent
  | ReadyEvent
  | { event: "removed"; function: string }
  | { event: "build"; function: string; text: string }
  | LogEvent
  | CallEvent
  | ErrorEvent
  /** Of `--inspect`; `port`, of 127.0.0.1, where a debugger can be attached. */
  | { event: "debugger"; function: string; text: string; port: number | null }
  | { event: "note"; text: string };

export interface DeployedEvent {
  event: "deployed";
  function: string;
  action: Deployed["action"];
  revision: number;
  url: string;
  /** Since the save. */
  ms: number;
  /** In this run of the command. */
  isFirst: boolean;
}

/** A sandbox has loaded the code. */
export interface ReadyEvent {
  event: "ready";
  function: string;
  revision: number;
  startKind: string | null;
  sandboxId: string | null;
  /** Since the save. */
  ms: number;
}

/** `text` with places in the function's folder. */
export type LogEvent = { event: "log"; function: string } & Pick<
  LogLineView,
  "at" | "level" | "stream" | "revision" | "invocationId" | "text"
>;

export type CallEvent = { event: "call"; function: string } & Pick<
  InvocationView,
  | ("id" | "revision" | "method" | "path" | "status" | "outcome" | "errorCode")
  | ("startKind" | "sandboxId" | "startedAt" | "totalMs" | "runMs")
>;

/** Something is wrong that the person mends by saving again. */
export interface ErrorEvent {
  event: "error";
  /** null: it is about none of them alone, as isola.yaml that cannot be read. */
  function: string | null;
  phase: "definition" | "deploy" | "build" | "init" | "server";
  code: string;
  message: string;
  /** null: not known. */
  at: Place | null;
  /** Of the code, with places in its folder. */
  stack: string[];
}

export interface ShownLine {
  text: string;
  paint: Paint;
}

/** Of the functions in turn: neither red nor yellow, which mean something. */
const turns = ["cyan", "magenta", "green", "blue"] as const;

/** What a person reads of the events: each line begins with the function, in a column and a colour of its own. */
export class DevText {
  readonly #names: string[] = [];
  #width = "isola".length;

  /** Known before the first line, so that all stand in one column. */
  expect(names: readonly string[]): void {
    for (const name of names) if (!this.#names.includes(name)) this.#names.push(name);
    this.#width = Math.max(this.#width, ...names.map((name) => name.length));
  }

  lines(event: DevEvent): ShownLine[] {
    const name = "function" in event ? event.function : null;
    const head = `${(name ?? "isola").padEnd(this.#width)} | `;
    const at = name === null ? -1 : this.#names.indexOf(name);
    const own = at < 0 ? "dim" : (turns[at % turns.length] as (typeof turns)[number]);
    const rest = restColor(event);
    const paint: Paint = (text, colors) => {
      const said = text.slice(head.length);
      return colors[own](text.slice(0, head.length)) + (rest === null ? said : colors[rest](said));
    };
    return linesOf(event).map((line) => ({ text: `${head}${printableLine(line)}`, paint }));
  }
}

function linesOf(event: DevEvent): string[] {
  switch (event.event) {
    case "server":
      return [event.isOwn ? `server started: ${event.url}` : `server: ${event.url}`];
    case "deployed":
      return event.isFirst ? [`${event.action}, revision ${event.revision}, ${event.url}`] : [];
    case "ready":
      return [
        `revision ${event.revision} ready after ${Math.round(event.ms)} ms (${event.startKind})`,
      ];
    case "removed":
      return ["removed"];
    case "call":
      return [callLine(event)];
    case "error":
      return errorLines(event);
    case "build":
    case "log":
    case "debugger":
    case "note":
      return event.text.split("\n");
  }
}

function callLine(call: DevEvent & { event: "call" }): string {
  const what = call.method === "" ? call.path || "event" : `${call.method} ${call.path}`;
  const why = call.errorCode === null ? "" : ` ${call.errorCode}`;
  return `${what} -> ${call.status}${why} ${call.totalMs.toFixed(1)} ms ${call.startKind ?? "no sandbox"}`;
}

function errorLines({ phase, message, at, stack }: ErrorEvent): string[] {
  const place = at === null ? "" : ` (${[at.file, at.line, at.column].filter(Boolean).join(":")})`;
  const [first = "", ...more] = message.split("\n");
  return [`${phase} failed: ${first}${place}`, ...more, ...stack];
}

function restColor(event: DevEvent): "red" | "yellow" | "dim" | null {
  if (event.event === "error") return "red";
  if (event.event === "call") return event.outcome === "ok" ? null : "red";
  if (event.event === "build") return "dim";
  if (event.event !== "log") return null;
  if (event.level === "error" || event.level === "fatal") return "red";
  return event.level === "warn" ? "yellow" : null;
}
