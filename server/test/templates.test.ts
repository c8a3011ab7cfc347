import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { TestServer } from "./harness.ts";

const folder = join(import.meta.dirname, "../../templates");

/** What a person sees of the first call. */
const answers: Record<string, RegExp> = {
  hello: /^Hello, Ada!\n$/,
  "json-api": /^\{"sum": ?6\}$/,
  "web-app": /<h1>Hello, Ada!<\/h1>/,
  streaming: /^Each\nword\n/,
};

describe("a template", () => {
  let server: TestServer;
  before(async () => {
    server = await new TestServer().start();
  });
  after(() => server.dispose());

  for (const name of readdirSync(folder)) {
    test(`is deployed as it is and answers: ${name}`, async () => {
      const read = (file: string) => readFileSync(join(folder, name, file), "utf8");
      const { runtime, handler, request } = JSON.parse(read("template.json"));
      const names = readdirSync(join(folder, name)).filter((file) => file !== "template.json");
      const files = Object.fromEntries(names.map((file) => [file, read(file)]));
      await server.deploy(name, files, { runtime, handler });
      const { json } = await server.api("POST", `/api/v1/functions/${name}/invocations`, {
        request,
      });
      assert.equal(json.outcome, "ok", JSON.stringify(json.error));
      assert.equal(json.status, 200);
      assert.match(json.body, answers[name.replace(/-(js|py)$/, "")] as RegExp);
    });
  }
});
