import type { Invoke, Invoked } from "@isola/api/invocations";
import { httpMethods } from "@isola/api/limits";
import { listOption, readArgument, textOption } from "../arguments.ts";
import { paintStates } from "../colors.ts";
import {
  type Command,
  type Context,
  type Option,
  type Options,
  exitCodes,
  usageFailure,
} from "../command.ts";
import { shownLog } from "./logs.ts";

/** What a function is called with: an event, or an HTTP request. */
export const callOptions: readonly Option[] = [
  {
    flags: "--event <json>",
    help: "event for a Lambda-style handler: JSON, @file, or - for stdin",
  },
  {
    flags: "--method <method>",
    help: "of an HTTP request; left out: GET, or POST with data",
    completes: httpMethods,
  },
  { flags: "--path <path>", help: "path and query as the function shall see them; left out: /" },
  { flags: "--header <name:value>", help: "header of the request", isRepeatable: true },
  { flags: "--data <text>", help: "body of the request: text, @file, or - for stdin" },
];

export const invokeCommand: Command = {
  usage: "invoke <name>",
  isOfProject: true,
  summary: "Call a function and show answer, phases and logs; exit code 1 unless it went well",
  positionals: { name: { help: "of the function", completes: "function" } },
  examples: [
    { line: "isola invoke hello --path /x", says: "an HTTP request" },
    { line: "isola invoke hello --event @event.json", says: "an event of a file" },
  ],
  json: "what the API answers",
  options: callOptions,
  async run(context, [name = ""], options) {
    const body = await callOf(context, options);
    const invoked = await context.client.invoke(name, body, { signal: context.signal });
    context.note(summaryOf(invoked), paintStates);
    return {
      json: invoked,
      text: textOf(invoked),
      exitCode: invoked.outcome === "ok" ? exitCodes.ok : exitCodes.failed,
    };
  },
};

export async function callOf(context: Context, options: Options): Promise<Invoke> {
  const event = textOption(options, "event");
  const headers = listOption(options, "header").map(headerOf);
  const method = textOption(options, "method")?.toUpperCase();
  const path = textOption(options, "path");
  const data = textOption(options, "data");
  if (event !== undefined) {
    if (method ?? path ?? data ?? headers[0]) {
      throw usageFailure("--event excludes --method, --path, --header and --data");
    }
    return { event: parseEvent((await readArgument(event, context)).toString("utf8")) };
  }
  const body = data === undefined ? {} : bodyOf(await readArgument(data, context));
  const request = { ...(method && { method }), ...(path && { path }), headers, ...body };
  return { request } as Invoke; // the server checks the method
}

function parseEvent(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageFailure(`--event must be JSON: ${(error as Error).message}`);
  }
}

function headerOf(text: string): [string, string] {
  const at = text.indexOf(":");
  if (at < 1) throw usageFailure(`--header takes name:value, given: ${text}`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

function bodyOf(bytes: Buffer): { body: string } | { bodyBase64: string } {
  const text = bytes.toString("utf8");
  if (Buffer.from(text).equals(bytes)) return { body: text };
  return { bodyBase64: bytes.toString("base64") };
}

function summaryOf(invoked: Invoked): string {
  const { queueMs, startMs, initMs, runMs } = invoked.phases;
  const phases = Object.entries({ queue: queueMs, start: startMs, init: initMs, run: runMs })
    .filter(([, ms]) => ms !== null)
    .map(([name, ms]) => `${name} ${(ms as number).toFixed(1)} ms`);
  const { status, outcome, startKind, revision, id, logs } = invoked;
  const head = `${status} ${outcome}, ${startKind ?? "no sandbox"}, revision ${revision}, ${id}`;
  return [head, phases.join(", "), ...logs.map((line) => shownLog(line))].join("\n");
}

function textOf({ error, body, bodyBase64 }: Invoked): string {
  if (body !== null && body !== "") return body;
  if (bodyBase64 !== null)
    return `(${Buffer.from(bodyBase64, "base64").length} bytes; --json shows them in base64)`;
  return error ? `${error.code}: ${error.message}` : "";
}
