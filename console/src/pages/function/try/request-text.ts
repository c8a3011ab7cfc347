import type { Invoke } from "@isola/api/invocations";

/** What a person fills in. */
export interface RequestText {
  kind: "request" | "event";
  method: string;
  path: string;
  /** `name: value`, one per line. */
  headers: string;
  body: string;
  /** JSON. */
  event: string;
}

const emptyRequest: RequestText = {
  ...{ kind: "request", method: "GET", path: "/", headers: "", body: "", event: "{}" },
};

/** What a person fills in for this call. */
export function textOf(call: Invoke | undefined): RequestText {
  if (call?.event !== undefined)
    return { ...emptyRequest, kind: "event", event: JSON.stringify(call.event, null, 2) };
  const { method, path, headers = [], body } = call?.request ?? {};
  return {
    ...emptyRequest,
    ...(method !== undefined && { method }),
    ...(path !== undefined && { path }),
    headers: headers.map(([name, value]) => `${name}: ${value}`).join("\n"),
    ...(body !== undefined && { body }),
  };
}

/** The call that it says, or what is wrong with it. */
export function invokeOf(text: RequestText): Invoke | { problem: string } {
  if (text.kind === "event") {
    try {
      return { event: JSON.parse(text.event) as unknown };
    } catch (error) {
      return { problem: `the event is not JSON: ${(error as Error).message}` };
    }
  }
  const headers = headersOf(text.headers);
  if ("problem" in headers) return headers;
  const method = text.method as NonNullable<NonNullable<Invoke["request"]>["method"]>;
  if (!/^\/[!-~]*$/.test(text.path))
    return { problem: "expected a path that begins with / and has no blanks: write %20 for one" };
  const hasBody = text.body !== "" && method !== "GET" && method !== "HEAD";
  return {
    request: {
      ...{ method, path: text.path, headers: headers.list },
      ...(hasBody && { body: text.body }),
    },
  };
}

function headersOf(text: string): { list: [string, string][] } | { problem: string } {
  const list: [string, string][] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const colon = line.indexOf(":");
    if (colon < 1)
      return { problem: `expected \`name: value\` in each line of headers, given ${line}` };
    list.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  return { list };
}
