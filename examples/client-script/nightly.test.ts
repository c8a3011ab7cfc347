import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { TestServer, eventually } from "../../server/test/harness.ts";

const here = import.meta.dirname;

describe("the nightly job", () => {
  const server = new TestServer();
  before(() => server.start());
  after(() => server.dispose());

  function runJob(apiKey = server.adminKey) {
    const env = { ...process.env, ISOLA_URL: server.apiUrl, ISOLA_API_KEY: apiKey };
    const script = join(here, "nightly.mjs");
    return spawnSync(process.execPath, [script], { env, encoding: "utf8", timeout: 60_000 });
  }

  test("counts calls and failures, and says by its exit code whether there were too many", async () => {
    const code = readFileSync(join(here, "src/index.mjs"), "utf8");
    await server.deploy("client-script", { "index.mjs": code });
    const order = (amount: unknown) =>
      server.call("/client-script", {
        method: "POST",
        body: JSON.stringify({ items: [{ amount }] }),
      });
    assert.equal((await order(42)).status, 200);
    const recorded = (count: number) =>
      eventually(`${count} records`, async () => {
        const { json } = await server.api("GET", "/api/v1/functions/client-script/invocations");
        return json.items.length === count;
      });
    await recorded(1);
    const good = runJob();
    assert.equal(good.status, 0, good.stderr);
    assert.match(good.stdout, /^\| client-script \| 1 \| 0 \| [\d.]+ ms \|  \|$/m);
    assert.equal((await order("twelve")).status, 500);
    await recorded(2);
    const bad = runJob();
    assert.equal(bad.status, 1, bad.stderr);
    assert.match(bad.stdout, /^\| client-script \| 2 \| 1 \| [\d.]+ ms \| inv-\S+ \|$/m);
    const refused = runJob("isola_wrong_key");
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /^unauthenticated: /);
  });
});
