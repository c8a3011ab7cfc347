import { ApiError } from "@isola/client";
import type { Context } from "../command.ts";
import { usageFailure } from "../command.ts";

export interface RawCall {
  method: string;
  /** `/readyz`, or below `/api/v1/`: `functions`. */
  path: string;
  headers: readonly (readonly [string, string])[];
  body?: Buffer;
}

/** Calls the server as it is asked to. Resolves with any status. */
export async function send(
  { connection, signal }: Pick<Context, "connection" | "signal">,
  { method, path, headers, body }: RawCall,
): Promise<Response> {
  const url = urlOf(connection.url, path);
  const all = new Headers();
  if (connection.apiKey !== undefined) all.set("authorization", `Bearer ${connection.apiKey}`);
  if (body !== undefined)
    all.set("content-type", isJson(body) ? "application/json" : "application/octet-stream");
  for (const name of new Set(headers.map(([one]) => one))) all.delete(name);
  for (const [name, value] of headers) all.append(name, value);
  try {
    return await fetch(url, {
      method,
      headers: all,
      signal,
      redirect: "manual",
      ...(body && { body: new Uint8Array(body) }),
    });
  } catch (error) {
    if (signal.aborted) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    throw new ApiError(`${connection.url} does not answer (${reason})`, {
      status: 0,
      code: "unreachable",
      cause: error,
    });
  }
}

/** Of the server of the connection and of no other, whatever the path. */
function urlOf(base: string, path: string): string {
  if (/[^\x21-\x7e]/.test(path))
    throw usageFailure("the path has characters that an address cannot have: percent-encode them");
  const behind = path.startsWith("/") ? path : `/api/v1/${path}`;
  const text = base.replace(/\/+$/, "") + behind;
  if (!URL.canParse(text) || new URL(text).origin !== new URL(base).origin)
    throw usageFailure("the path is no path of an address");
  return text;
}

function isJson(body: Buffer): boolean {
  try {
    JSON.parse(body.toString("utf8"));
    return true;
  } catch {
    return false;
  }
}
