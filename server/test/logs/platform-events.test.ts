import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { runIsola } from "../../../cli/test/run-isola.ts";
import { TestServer, eventually, gatewayOf } from "../harness.ts";
import { childrenOf } from "../processes.ts";

const spins = "export const handler = () => { for (;;); };";
const broken = "import 'no-such-module';";
const hungry =
  "export const handler = () => { const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1)); };";

interface Told {
  id: string;
  kind: string;
  severity: string;
  functionName: string | null;
  message: string;
  fields: Record<string, unknown>;
}

describe("what happens to the platform", { timeout: 90_000 }, () => {
  const server = new TestServer({ ISOLA_BLANK_NODEJS: "1", ISOLA_BLANK_PYTHON: "0" });
  before(() => server.start());
  after(() => server.dispose());

  async function events(query: string): Promise<Told[]> {
    const { json, status, text } = await server.api("GET", `/api/v1/events?${query}`);
    assert.equal(status, 200, text);
    return json.items;
  }
  const first = (query: string) =>
    eventually(`an event with ${query}`, async () => (await events(query))[0]);

  test("to functions is told: deploys, rollbacks, starts, kills and deletes", async () => {
    const files = { "index.mjs": "export const handler = () => 1;" };
    await server.deploy("hello", files);
    await server.api("PATCH", "/api/v1/functions/hello", { memoryMiB: 256 });
    await server.api("POST", "/api/v1/functions/hello/rollback", { revision: 1 });
    assert.equal((await server.call("/hello")).status, 200);
    await first("kind=scaled_up&function=hello");
    await server.api("DELETE", "/api/v1/functions/hello");
    await first("kind=function_deleted&function=hello");
    const changes = await events(
      "function=hello&order=oldest&kind=function_created&kind=function_deployed&kind=function_rolled_back&kind=function_deleted",
    );
    assert.deepEqual(
      changes.map(({ kind, message }) => [kind, message]),
      [
        ["function_created", "hello was created"],
        ["function_deployed", "revision 2 of hello is live"],
        ["function_rolled_back", "hello was rolled back to revision 1"],
        ["function_deleted", "hello was deleted"],
      ],
    );
    assert.equal(changes[1]?.fields.reason, "settings");
    const { fields } = await first("kind=scaled_down&function=hello");
    assert.deepEqual([fields.reason, fields.sandboxes], ["deleted", 0]);
  });

  test("to sandboxes is told with the call that it was: too long, too much memory, no start", async () => {
    await server.deploy("spins", { "index.mjs": spins }, { timeoutMs: 200 });
    const { status, headers } = await server.call("/spins");
    assert.equal(status, 504);
    const late = await first("kind=sandbox_timed_out");
    assert.equal(late.fields.invocation, headers.get("isola-request-id"));
    assert.equal(late.fields.count, 1);
    assert.ok((late.fields.killMs as number) > 0);
    await server.deploy("hungry", { "index.mjs": hungry }, { memoryMiB: 128 });
    assert.equal((await server.call("/hungry")).status, 502);
    const ended = await first("function=hungry&kind=sandbox_out_of_memory&kind=sandbox_crashed");
    assert.match(String(ended.fields.sandbox), /^sb-/);
    await server.deploy("broken", { "index.mjs": broken });
    assert.equal((await server.call("/broken")).status, 502);
    const failed = await first("kind=sandbox_start_failed&function=broken");
    assert.equal(failed.fields.code, "init_failed");
    assert.match(failed.message, /no-such-module/);
    assert.ok((await events("severity=warn")).every(({ severity }) => severity !== "info"));
  });

  test("to its own processes is told, with how the life before ended; isola events shows all of it", async () => {
    const started = await first("kind=gateway_started");
    const gateway = gatewayOf(server);
    assert.equal(started.fields.pid, gateway);
    assert.match(String(started.fields.drivers), /process/);
    const [keeper] = childrenOf(gateway, "main.ts");
    process.kill(keeper as number, "SIGKILL");
    assert.match((await first("kind=keeper_restarted")).message, /SIGKILL/);
    process.kill(gateway, "SIGKILL");
    const again = await first("kind=gateway_restarted");
    assert.deepEqual([again.severity, again.fields.signal], ["error", "SIGKILL"]);
    const env = { ISOLA_URL: server.apiUrl, ISOLA_API_KEY: server.adminKey };
    const shown = await runIsola(["events", "--severity", "error", "--limit", "5"], {
      env,
      cwd: server.dataDir,
    });
    assert.match(
      shown.stdout,
      /^\S+ error keeper_restarted the keeper ended [^\n]*\n\S+ error gateway_restarted [^\n]*\n$/,
    );
  });
});
