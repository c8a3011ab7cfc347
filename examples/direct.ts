import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Case, ExampleFunction } from "./cases.ts";

/** Calls the code of a function without a server, in this process (JavaScript) or a child (Python), with the event or request that Isola would give it. Its `env` is set in this process and stays. */
export async function answerDirectly(fn: ExampleFunction, one: Case): Promise<Response> {
  Object.assign(process.env, fn.settings.env);
  if (fn.runtime.startsWith("python")) return toResponse(await callPython(fn, one));
  const module = await import(pathToFileURL(javaScriptFile(fn.codeDir)).href);
  if (module.default?.fetch !== undefined) {
    const { method, headers, body } = one.request;
    const url = `http://127.0.0.1${pathInside(fn, one)}`;
    const init = { method, headers, body: body === null ? null : new Uint8Array(body) };
    return await module.default.fetch(new Request(url, init), {});
  }
  const context = { awsRequestId: "test", functionName: fn.name };
  return toResponse(await module.handler(toEvent(fn, one), context));
}

/** `index` with the first of the suffixes that exists. */
export function javaScriptFile(codeDir: string): string {
  const files = ["index.mjs", "index.js", "index.ts"].map((name) => join(codeDir, name));
  const found = files.find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${codeDir}: expected an index file`);
  return found;
}

/** Without `/<name>`, as a function that has no route of its own sees it. */
function pathInside(fn: ExampleFunction, one: Case): string {
  const { path } = one.request;
  if (fn.settings.route !== undefined) return path;
  const rest = path.slice(`/${fn.name}`.length);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

const textType =
  /^(text\/|application\/(json|xml|javascript|x-www-form-urlencoded)|[^;]*\+(json|xml))/;

/** The members of the HTTP event (payload format 2.0) that the examples read. */
function toEvent(fn: ExampleFunction, one: Case) {
  const { method, headers, body } = one.request;
  const url = new URL(pathInside(fn, one), "http://127.0.0.1");
  const query = Object.fromEntries(url.searchParams);
  const isText = textType.test(headers["content-type"] ?? "");
  return {
    version: "2.0",
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers,
    ...(url.search !== "" && { queryStringParameters: query }),
    requestContext: { http: { method, path: url.pathname } },
    ...(body !== null && { body: body.toString(isText ? "utf8" : "base64") }),
    isBase64Encoded: body !== null && !isText,
  };
}

interface HandlerResult {
  statusCode?: number;
  headers?: Record<string, string>;
  body?: string;
}

function toResponse(result: HandlerResult): Response {
  const { statusCode, headers, body } = result;
  if (statusCode === undefined) return Response.json(result);
  return new Response(body ?? "", { status: statusCode, headers });
}

const pythonCall = `
import importlib, json, sys, types
folder, handler, function, event = json.load(sys.stdin)
sys.path.insert(0, folder)
out, sys.stdout = sys.stdout, sys.stderr
module, name = handler.split(".")
context = types.SimpleNamespace(aws_request_id="test", function_name=function)
json.dump(getattr(importlib.import_module(module), name)(event, context), out)
`;

export const python = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";

function callPython(fn: ExampleFunction, one: Case): Promise<HandlerResult> {
  const { promise, resolve, reject } = Promise.withResolvers<HandlerResult>();
  const args = ["-B", "-W", "error", "-c", pythonCall];
  const child = execFile(python, args, { timeout: 30_000 }, (error, stdout) => {
    if (error) reject(error);
    else resolve(JSON.parse(stdout));
  });
  const input = [fn.codeDir, fn.settings.handler ?? "app.handler", fn.name, toEvent(fn, one)];
  child.stdin?.end(JSON.stringify(input));
  return promise;
}
