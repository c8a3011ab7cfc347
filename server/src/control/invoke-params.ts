import type { IncomingHttpHeaders } from "node:http";
import type { Invoke } from "@isola/api/invocations";
import type { ErrorDetail } from "../errors.ts";
import type { InvokeParams } from "../link/messages.ts";
import { isObject, problem } from "@isola/api/explain";

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/;
/** Without line ends and other control characters; what is sent on is Latin-1. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]{0,8192}$/;

/** What the schema of an invocation cannot say. */
export function checkInvoke(body: unknown): ErrorDetail[] {
  if (!isObject(body)) return [];
  const hasEvent = Object.hasOwn(body, "event");
  const hasRequest = Object.hasOwn(body, "request");
  if (hasEvent === hasRequest) {
    const given = hasEvent ? "both" : "neither";
    return [{ path: "body", expected: "either event or request", given }];
  }
  return isObject(body.request) ? checkRequest(body.request) : [];
}

/** What the gateway is asked to do; the body has been checked. `asked`: the headers of the call of the API, whose trace goes on where the body names none. */
export function invokeParams(
  { project, name }: Pick<InvokeParams, "project" | "name">,
  body: Invoke,
  asked: IncomingHttpHeaders,
): InvokeParams {
  const { request } = body;
  const trace = traceHeaders(asked);
  if (request === undefined) {
    const bodyBase64 = Buffer.from(JSON.stringify(body.event)).toString("base64");
    return { project, name, kind: "event", method: "", target: "", headers: trace, bodyBase64 };
  }
  const headers = (request.headers ?? []).map(([key, value]): [string, string] => [
    key.toLowerCase(),
    value,
  ]);
  const isTraced = headers.some(([key]) => key === "traceparent");
  const bodyBase64 =
    request.bodyBase64 ?? Buffer.from(request.body ?? "", "utf8").toString("base64");
  return {
    project,
    name,
    kind: "http",
    method: request.method ?? (bodyBase64 === "" ? "GET" : "POST"),
    target: request.path ?? "/",
    headers: isTraced ? headers : [...headers, ...trace],
    bodyBase64,
  };
}

function traceHeaders({ traceparent, tracestate }: IncomingHttpHeaders): [string, string][] {
  if (typeof traceparent !== "string") return [];
  const parent: [string, string] = ["traceparent", traceparent];
  return typeof tracestate === "string" ? [parent, ["tracestate", tracestate]] : [parent];
}

function checkRequest(request: Record<string, unknown>): ErrorDetail[] {
  const details: ErrorDetail[] = [];
  const { body, bodyBase64, headers } = request;
  if (body !== undefined && bodyBase64 !== undefined)
    details.push({ path: "request", expected: "body or bodyBase64", given: "both" });
  if (
    typeof bodyBase64 === "string" &&
    !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(bodyBase64)
  )
    details.push(problem("request.bodyBase64", "base64", bodyBase64));
  if (!Array.isArray(headers)) return details;
  for (const [at, header] of headers.slice(0, 100).entries()) {
    if (!Array.isArray(header)) continue;
    const [name, value] = header as unknown[];
    const path = `request.headers[${at}]`;
    if (typeof name === "string" && !HEADER_NAME.test(name))
      details.push(problem(`${path}[0]`, "the name of a header", name));
    if (typeof value === "string" && !HEADER_VALUE.test(value))
      details.push(problem(`${path}[1]`, "Latin-1 text without control characters", value));
  }
  return details;
}
