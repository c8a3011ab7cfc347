/** Functions that do next to nothing: what is measured is the runtime. */
export const functions = {
  "node lambda": {
    family: "nodejs",
    file: "index.mjs",
    handler: "index.handler",
    code: 'export const handler = async () => ({ statusCode: 200, body: "hello" });\n',
  },
  "node fetch": {
    family: "nodejs",
    file: "index.mjs",
    handler: "index.default",
    code: 'export default { fetch: () => new Response("hello") };\n',
  },
  "python lambda": {
    family: "python",
    file: "app.py",
    handler: "app.handler",
    code: 'def handler(event, context):\n    return {"statusCode": 200, "body": "hello"}\n',
  },
  "python async": {
    family: "python",
    file: "app.py",
    handler: "app.handler",
    code: 'async def handler(event, context):\n    return {"statusCode": 200, "body": "hello"}\n',
  },
  "python asgi": {
    family: "python",
    file: "app.py",
    handler: "app.app",
    code: `async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})
`,
  },
  "python wsgi": {
    family: "python",
    file: "app.py",
    handler: "app.app",
    code: `def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"hello"]
`,
  },
} as const;

export type FunctionName = keyof typeof functions;

/** A ustar archive with one file. */
export function archiveOf(name: string, text: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write("0000444\0", 100);
  header.write(`${text.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        0", 148);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const content = Buffer.alloc(Math.ceil(text.length / 512) * 512);
  content.write(text);
  return Buffer.concat([header, content, Buffer.alloc(1024)]);
}
