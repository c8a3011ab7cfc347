import { strict as assert } from "node:assert";
import { after, before, describe, test } from "node:test";
import { TestServer } from "./harness.ts";

describe("an invocation through the API whose headers do not fit a frame", () => {
  const server = new TestServer();
  before(() => server.start());
  after(() => server.dispose());

  const echo = "export default { fetch: () => new Response('ok') }";
  const headers = Array.from({ length: 10 }, (_, at) => [`x-${at}`, "b".repeat(8000)]);

  for (const start of ["cold", "warm"] as const)
    test(`is refused, ${start}, and the gateway lives on`, async () => {
      await server.deploy(start, { "index.mjs": echo });
      if (start === "warm") await server.call(`/${start}`);
      const body = { request: { path: "/", headers } };
      const answer = await server.api("POST", `/api/v1/functions/${start}/invocations`, body);
      assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
      assert.equal((await server.call(`/${start}`)).status, 200, "the same gateway still answers");
    });
});
