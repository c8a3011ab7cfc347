import type { Invoke } from "@isola/api/invocations";

/** A call for a POSIX shell. `url`: of the function, which may be a pattern. */
export function curlLine(url: string, request: Invoke["request"]): string {
  const { method = "GET", path = "/", body, headers = [] } = request ?? {};
  const isPattern = /[:*]/.test(new URL(url).pathname);
  const target = isPattern
    ? url
    : url.replace(/\/$/, "") + (path === "/" ? "" : path.replace(/^\/\?/, "?"));
  const parts = ["curl"];
  if (method !== "GET" && !(method === "POST" && body !== undefined)) parts.push("-X", method);
  const isTyped = headers.some(([name]) => name === "content-type");
  const given = headers.map(([name, value]) => `${name}: ${value}`);
  if (body !== undefined && !isTyped) given.push("content-type: application/json");
  for (const header of given) parts.push("-H", quoted(header));
  if (body !== undefined) parts.push("-d", quoted(body));
  return [...parts, quoted(target)].join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
