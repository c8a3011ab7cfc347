import type { Invoke } from "@isola/api/invocations";

/** A call for a POSIX shell. `url`: of the function, which may be a pattern. */
export function curlLine(url: string, request: Invoke["request"]): string {
  const { method = "GET", path = "/", body } = request ?? {};
  const isPattern = /[:*]/.test(new URL(url).pathname);
  const target = isPattern
    ? url
    : url.replace(/\/$/, "") + (path === "/" ? "" : path.replace(/^\/\?/, "?"));
  const parts = ["curl"];
  if (method !== "GET" && !(method === "POST" && body !== undefined)) parts.push("-X", method);
  if (body !== undefined)
    parts.push("-H", quoted("content-type: application/json"), "-d", quoted(body));
  return [...parts, quoted(target)].join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
