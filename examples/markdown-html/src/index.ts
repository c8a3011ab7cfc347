import { renderMarkdown } from "./blocks.ts";

const sourceCharsMax = 200_000;

interface HttpEvent {
  body?: string;
  isBase64Encoded?: boolean;
  headers: Record<string, string>;
  queryStringParameters?: Record<string, string>;
  requestContext: { http: { method: string } };
}

interface HttpResult {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

function text(statusCode: number, message: string, headers: Record<string, string> = {}) {
  const type = { "content-type": "text/plain; charset=utf-8" };
  return { statusCode, headers: { ...type, ...headers }, body: `${message}\n` };
}

/** POST text/markdown, get text/html: a fragment, or with `?page=1` a whole page. */
export async function handler(event: HttpEvent): Promise<HttpResult> {
  if (event.requestContext.http.method !== "POST") {
    return text(405, "POST a Markdown document", { allow: "POST" });
  }
  const type = event.headers["content-type"] ?? "none";
  if (!/^text\/(markdown|plain)\s*(;|$)/i.test(type)) {
    return text(415, `content-type: expected text/markdown, got ${type}`);
  }
  const body = event.body ?? "";
  const source = event.isBase64Encoded ? Buffer.from(body, "base64").toString("utf8") : body;
  if (source.length > sourceCharsMax) return text(413, `at most ${sourceCharsMax} characters`);
  const fragment = renderMarkdown(source);
  const isPage = event.queryStringParameters?.page === "1";
  return {
    statusCode: 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      // A second line of defence: nothing in the document may run or load.
      "content-security-policy": "default-src 'none'; img-src https: data:; style-src 'none'",
      "x-content-type-options": "nosniff",
    },
    body: isPage ? page(fragment) : fragment,
  };
}

function page(fragment: string): string {
  return `<!doctype html>\n<meta charset="utf-8">\n<title>Document</title>\n${fragment}`;
}
