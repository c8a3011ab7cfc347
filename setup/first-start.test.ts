import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { fakeKey, startFakeApi } from "../cli/test/fake-api.ts";
import { runIsola } from "../cli/test/run-isola.ts";
import { welcome } from "./first-start.mjs";

/** A server of which only the API is played; the functions listener answers with the path. */
async function started(t: TestContext) {
  const api = await startFakeApi();
  const gateway = createServer((request, response) => response.end(`from ${request.url}`));
  gateway.listen(0, "127.0.0.1");
  await once(gateway, "listening");
  const data = mkdtempSync(join(tmpdir(), "isola-first-start-"));
  writeFileSync(join(data, "admin-key"), `${fakeKey}\n`);
  t.after(async () => {
    rmSync(data, { recursive: true });
    gateway.close();
    await api.close();
  });
  const { port } = gateway.address() as AddressInfo;
  const server = {
    functions: "http://127.0.0.1:1",
    gateway: `http://127.0.0.1:${port}`,
    api: api.url,
    data,
  };
  const show = async () => {
    let text = "";
    await welcome({ node: process.execPath, server, print: (part: string) => void (text += part) });
    return text;
  };
  const deploys = () => api.calls.filter((call) => call.startsWith("POST /api/v1/functions"));
  return { api, data, show, deploys };
}

describe("the first start", { timeout: 60_000 }, () => {
  test("deploys two functions, calls them, and shows the admin key", async (t) => {
    const { api, data, show, deploys } = await started(t);
    const text = await show();
    assert.equal(deploys().length, 2);
    assert.match(text, /hello-js {3}200 from \/hello-js\n/);
    assert.match(text, /hello-py {3}200 from \/hello-py\n/);
    assert.match(text, /^ {2}curl 'http:\/\/127\.0\.0\.1:1\/hello-js\?name=Ada'$/m);
    assert.ok(text.includes(fakeKey));
    assert.ok(text.includes(`kept in ${join(data, "admin-key")}:\n`));
    // From any folder the command line finds the server and its key by this.
    const [, hint = ""] = /^ {2}export ISOLA_DATA=(.+)$/m.exec(text) ?? [];
    writeFileSync(join(data, "api-url"), api.url); // as a running server has it
    const { exitCode, stdout } = await runIsola(["list"], {
      env: { ISOLA_DATA: hint },
      cwd: tmpdir(),
    });
    assert.equal(exitCode, 0);
    assert.match(stdout, /^hello-js /m);
  });

  test("is not repeated: no deploy, no key, and a deleted function stays deleted", async (t) => {
    const { api, show, deploys } = await started(t);
    await show();
    api.functions.delete("hello-py");
    api.calls.length = 0;
    const text = await show();
    assert.deepEqual(deploys(), []);
    assert.ok(!text.includes(fakeKey));
    assert.match(text, /hello-js {3}200 from \/hello-js\n/);
    assert.match(text, /hello-py {3}has been deleted\n/);
  });

  test("leaves a function alone that has the name of an example already", async (t) => {
    const { api, show, deploys } = await started(t);
    const view = { name: "hello-js", url: "http://127.0.0.1:1/hello-js", etag: '"1"' };
    api.functions.set("hello-js", {
      view: { ...view, liveRevision: 1, latestRevision: 1 },
      code: new Map(),
    });
    await show();
    assert.equal(deploys().length, 1);
  });
});
