import { helloText } from "../payload.ts";

export type Family = "nodejs" | "python";
/** `lambda`: an event in, an object out. `fetch`: a Request in, a Response out, streaming. */
export type Style = "lambda" | "fetch";

/** Files of a function that answers a GET with `text` and a POST with its body. */
export function sourceOf(options: {
  family: Family;
  style?: Style;
  text?: string;
}): Record<string, string> {
  const text = JSON.stringify(options.text ?? helloText);
  if (options.family === "python") return { "app.py": python(text) };
  return { "index.mjs": options.style === "fetch" ? nodeFetch(text) : nodeLambda(text) };
}

const nodeLambda = (text: string): string => `
const headers = { "content-type": "text/plain" };
export const handler = async (event) => ({ statusCode: 200, headers, body: event.body ?? ${text} });
`;

const nodeFetch = (text: string): string => `
export default {
  fetch(request) {
    const headers = { "content-type": "text/plain" };
    if (request.method === "GET") return new Response(${text}, { headers });
    headers["content-length"] = request.headers.get("content-length");
    return new Response(request.body, { headers });
  },
};
`;

const python = (text: string): string => `
HEADERS = {"content-type": "text/plain"}


def handler(event, context):
    return {"statusCode": 200, "headers": HEADERS, "body": event.get("body") or ${text}}
`;
