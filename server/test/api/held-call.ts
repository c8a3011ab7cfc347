import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

/** The code of a function that answers its mark and its variable `MARK` once the whole body of the request has come. */
export function holdingCode(mark: number | string): Record<string, string> {
  const source = `const code = ${JSON.stringify(mark)};
export default {
  async fetch(request) {
    await request.text();
    return Response.json({ code, env: process.env.MARK ?? null });
  },
};`;
  return { "index.mjs": source };
}

/** A call whose body is open until `release`: the function runs as long as the test wants. */
export class HeldCall {
  readonly #request: ReturnType<typeof request>;
  readonly answer: Promise<{ status: number; json: any }>;

  constructor(url: string) {
    this.#request = request(url, { method: "POST", agent: false });
    this.#request.write("held");
    this.answer = once(this.#request, "response").then(async ([response]) => {
      const body = await text(response as IncomingMessage);
      return { status: (response as IncomingMessage).statusCode as number, json: JSON.parse(body) };
    });
    this.#request.on("error", () => {
      // An answer that came before the end of the body ends the connection; `answer` has it.
    });
  }

  release(): Promise<{ status: number; json: any }> {
    this.#request.end();
    return this.answer;
  }
}
