/** Text forms of the invocation and response heads (README.md, Invocation head and Response head). */

export interface InvokeLines {
  id: string;
  method: string;
  target: string;
  prefix: string;
  sourceAddress: string;
  httpVersion: string;
  scheme: string;
  routeKey: string;
  pathParameters: string;
}

/** The nine fixed lines and the header block (`\nname\nvalue` per header, or empty) as one text. No line may hold LF, CR or NUL. */
export function invokeText(lines: InvokeLines, headerBlock: string): string {
  return `${lines.id}\n${lines.method}\n${lines.target}\n${lines.prefix}\n${lines.sourceAddress}\n${lines.httpVersion}\n${lines.scheme}\n${lines.routeKey}\n${lines.pathParameters}${headerBlock}`;
}

export interface ResponseHead {
  status: number;
  /** name, value, name, value ... in the sandbox's order. */
  headers: string[];
}

/** Reads a response head; returns a reason instead when it breaks the form. Names and values are checked by whoever sends them on. */
export function parseResponseHead(text: string): ResponseHead | string {
  const lines = text.split("\n");
  const status = Number(lines[0]);
  if (lines[0]?.length !== 3 || !(status >= 200 && status <= 599))
    return `response status must be from 200 to 599, not ${JSON.stringify(lines[0]?.slice(0, 20))}`;
  if (lines.length % 2 === 0) return "response head has a header name without a value";
  lines.shift();
  return { status, headers: lines };
}
