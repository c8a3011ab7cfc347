import { listOption, readArgument, textOption } from "../arguments.ts";
import {
  type Command,
  type Context,
  Failure,
  type Options,
  type Result,
  exitCodes,
  usageFailure,
} from "../command.ts";
import { printableJson } from "../printable.ts";
import { chunksOf, isJsonType, pagesOf, readWhole } from "../raw/answers.ts";
import { type RawCall, send } from "../raw/send.ts";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

export const apiCommand: Command = {
  usage: "api <method> <path>",
  summary: "Call the API as it is; exit code 1 on a status from 400",
  details: [
    "A path without `/` before it is below `/api/v1/`. The key and the address are those of every command; nothing adds `?project=`. JSON is shown indented; anything else as it comes, so that a download can go into a file.",
  ],
  positionals: {
    method: { help: methods.join(", "), completes: methods },
    path: { help: "with its query, as `functions?limit=10` or `/readyz`" },
  },
  options: [
    {
      flags: "--data <text>",
      help: "body: text, @file, or - for stdin; JSON unless --header says otherwise",
    },
    { flags: "--header <name:value>", help: "header of the request", isRepeatable: true },
    { flags: "--paginate", help: "all pages of a list, as one" },
    { flags: "-i, --include", help: "status and headers before the body" },
  ],
  examples: [
    { line: "isola api GET functions --paginate", says: "all of them, as JSON" },
    { line: "isola api PATCH functions/hello --data '{\"memoryMiB\":256}'", says: "one setting" },
    {
      line: "isola api GET functions/hello/code > hello.tar",
      says: "the code of the live revision",
    },
  ],
  json: "`status`, `headers`, `body` (JSON, or a text)",
  async run(context, [method = "", path = ""], options) {
    const call = await callOf(context, { method, path }, options);
    if (options.paginate === true) return paginated(context, call, options);
    const response = await send(context, call);
    const isGood = response.status < 400;
    const exitCode = isGood ? exitCodes.ok : exitCodes.failed;
    if (context.isJson) return { json: await asJson(response), text: "", exitCode };
    if (options.include === true) context.emit(headOf(response));
    if (isJsonType(response)) {
      const value = await readWhole(response);
      const text = typeof value === "string" ? value : printableJson(value);
      return { json: undefined, text, exitCode };
    }
    for await (const chunk of chunksOf(response)) await context.writeBytes(chunk);
    if (!isGood) context.note(`status ${response.status}`);
    return { json: undefined, text: "", exitCode };
  },
};

async function callOf(
  context: Context,
  { method, path }: { method: string; path: string },
  options: Options,
): Promise<RawCall> {
  const verb = method.toUpperCase();
  if (!methods.includes(verb))
    throw usageFailure(`api takes a method and a path; a method is one of ${methods.join(", ")}`);
  const data = textOption(options, "data");
  if (data !== undefined && ["GET", "HEAD"].includes(verb))
    throw usageFailure(`${verb} takes no --data`);
  if (options.paginate === true && verb !== "GET") throw usageFailure("--paginate is for GET");
  const headers = listOption(options, "header").map(headerOf);
  const body = data === undefined ? undefined : await readArgument(data, context);
  return { method: verb, path, headers, ...(body && { body }) };
}

/** No message repeats a header: it may be a secret. */
function headerOf(text: string): [string, string] {
  const at = text.indexOf(":");
  const [name, value] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  if (/^[!#$%&'*+.^`|~\w-]+$/.test(name) && at > 0 && /^[\t\x20-\x7e]*$/.test(value))
    return [name, value];
  throw usageFailure("--header takes name:value in ASCII; one that was given is none");
}

async function paginated(context: Context, call: RawCall, options: Options): Promise<Result> {
  if (options.include === true) throw usageFailure("--paginate and --include exclude each other");
  const found = await pagesOf((path) => send(context, { ...call, path }), call.path);
  if (found.failed === null) {
    const body = { items: found.items, nextCursor: null };
    const json = context.isJson ? { status: 200, headers: {}, body } : body;
    return { json, text: printableJson(body) };
  }
  const { status } = found.failed;
  throw new Failure(`page ${found.pages + 1} came with status ${status}: ${found.reason}`);
}

function headOf({ status, statusText, headers }: Response): Result {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`);
  return { json: undefined, text: `${status} ${statusText}`.trimEnd() + `\n${lines.join("\n")}\n` };
}

async function asJson(response: Response): Promise<unknown> {
  const body = await readWhole(response);
  return { status: response.status, headers: Object.fromEntries(response.headers), body };
}
