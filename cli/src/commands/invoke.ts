import { STATUS_CODES } from "node:http";
import type { Invoked } from "@isola/api/invocations";
import { callOf, callOptions } from "../call-options.ts";
import { paintStates } from "../colors.ts";
import { type Command, exitCodes } from "../command.ts";
import { shownLog } from "./logs.ts";

export const invokeCommand: Command = {
  usage: "invoke <name>",
  isOfProject: true,
  summary: "Call a function and show answer, phases and logs; exit code 1 unless it went well",
  positionals: { name: { help: "of the function", completes: "function" } },
  examples: [
    { line: "isola invoke hello --path /x", says: "an HTTP request" },
    {
      line: 'isola invoke hello --http "POST /x?a=1" --data hi -i',
      says: "the same in short, and the answer with its headers",
    },
    { line: "isola invoke hello --event event.json", says: "an event of a file" },
    { line: "isola invoke hello --sample sqs", says: "one of those that `isola samples` lists" },
  ],
  details: [
    "`--http @request.http` sends a request that was recorded or written down: its first line, headers, an empty line, the body. `--header` and `--data` go before what it says.",
  ],
  json: "what the API answers",
  options: [
    ...callOptions,
    { flags: "-i, --include", help: "status and headers before the answer" },
  ],
  async run(context, [name = ""], options) {
    const body = await callOf(context, options);
    const invoked = await context.client.invoke(name, body, { signal: context.signal });
    context.note(summaryOf(invoked), paintStates);
    const head = options.include === true ? headOf(invoked) : "";
    return {
      json: invoked,
      text: head + textOf(invoked),
      exitCode: invoked.outcome === "ok" ? exitCodes.ok : exitCodes.failed,
    };
  },
};

function headOf({ status, headers }: Invoked): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\n${lines.join("")}\n`;
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
