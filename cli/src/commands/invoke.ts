import { STATUS_CODES } from "node:http";
import type { Invoked } from "@isola/api/invocations";
import { callOf, callOptions } from "../call-options.ts";
import type { Command } from "../command.ts";
import { invokedResult } from "../invoked-result.ts";

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
    return invokedResult(context, invoked, options.include === true ? headOf(invoked) : "");
  },
};

function headOf({ status, headers }: Invoked): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\n${lines.join("")}\n`;
}
