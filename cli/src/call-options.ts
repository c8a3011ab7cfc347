import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Invoke } from "@isola/api/invocations";
import { httpMethods } from "@isola/api/limits";
import { listOption, readArgument, textOption } from "./arguments.ts";
import { type Context, type Option, type Options, usageFailure } from "./command.ts";
import { requestLine, writtenRequest } from "./http-text.ts";
import { readSample, sampleNames } from "./samples.ts";

/** What a function is called with: an event, or an HTTP request. */
export const callOptions: readonly Option[] = [
  {
    flags: "--event <json>",
    help: "event for a Lambda-style handler: JSON, a file, @file, or - for stdin",
  },
  {
    flags: "--sample <name>",
    help: "one of the events that `isola samples` lists",
    completes: sampleNames(),
  },
  {
    flags: "--http <request>",
    help: 'an HTTP request: "POST /path?x=1", @file with all of it as it goes over the wire, or -',
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

export async function callOf(context: Context, options: Options): Promise<Invoke> {
  refuseTogether(options);
  const event = textOption(options, "event");
  if (event !== undefined) return { event: await readEvent(event, context) };
  const sample = textOption(options, "sample");
  if (sample !== undefined) return { event: JSON.parse(readSample(sample).text) as unknown };
  const written = await httpOption(context, options);
  const data = textOption(options, "data");
  const bytes = data === undefined ? written.body : await readArgument(data, context);
  const method = textOption(options, "method")?.toUpperCase() ?? written.method;
  const path = textOption(options, "path") ?? written.path;
  const own = listOption(options, "header").map(headerOf);
  const headers = [...replaced(written.headers, own, data !== undefined), ...own];
  const body = bytes === null ? {} : bodyOf(bytes);
  const request = { ...(method && { method }), ...(path && { path }), headers, ...body };
  return { request } as Invoke; // the server checks the method
}

/** Flags that say the same in two ways. */
function refuseTogether(options: Options): void {
  const given = (names: readonly string[]) =>
    names.filter((name) => options[name] !== undefined).map((name) => `--${name}`);
  const whole = given(["event", "sample", "http"]);
  if (whole.length > 1) throw usageFailure(`expected one of ${whole.join(" and ")}`);
  const parts = given(["method", "path", "header", "data"]);
  const isEvent = whole[0] === "--event" || whole[0] === "--sample";
  if (isEvent && parts.length > 0)
    throw usageFailure(`${whole[0]} excludes --method, --path, --header and --data`);
  const line = given(["method", "path"]);
  if (whole[0] === "--http" && line.length > 0)
    throw usageFailure("--http excludes --method and --path");
}

async function readEvent(text: string, context: Context): Promise<unknown> {
  const isNamed = text === "-" || text.startsWith("@");
  const said = isNamed ? (await readArgument(text, context)).toString("utf8") : text;
  try {
    return JSON.parse(said);
  } catch (error) {
    const path = resolve(context.cwd, text);
    const isFile = !isNamed && isFileThere(path);
    if (!isFile) {
      const hint = isNamed ? "" : `; nor is there a file ${path}`;
      throw usageFailure(`--event must be JSON: ${(error as Error).message}${hint}`);
    }
    return eventOfFile(path);
  }
}

function eventOfFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw usageFailure(`--event must be JSON, and ${path} is not: ${(error as Error).message}`);
  }
}

function isFileThere(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false; // JSON with a mistake is often no possible path either
  }
}

async function httpOption(context: Context, options: Options) {
  const text = textOption(options, "http");
  const nothing = { headers: [] as [string, string][], body: null };
  if (text === undefined) return { method: undefined, path: undefined, ...nothing };
  if (text === "-" || text.startsWith("@"))
    return writtenRequest(await readArgument(text, context));
  return { ...requestLine(text), ...nothing };
}

/** Those that flags do not give anew; with another body its length is another too. */
function replaced(
  headers: readonly [string, string][],
  own: readonly [string, string][],
  isOtherBody: boolean,
): [string, string][] {
  const names = new Set(own.map(([name]) => name.toLowerCase()));
  if (isOtherBody) names.add("content-length");
  return headers.filter(([name]) => !names.has(name.toLowerCase()));
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
