import { strict as assert } from "node:assert";
import { after, describe, test } from "node:test";
import { readFileSync } from "node:fs";
import { TestServer, eventually, gatewayOf } from "./harness.ts";

const reply = (name: string) => `export default { fetch: () => new Response("${name}") }`;

describe("a server whose memory is all promised", () => {
  const servers: TestServer[] = [];
  after(() => Promise.all(servers.map((server) => server.dispose())));
  const start = async (env: Record<string, string>) => {
    const server = new TestServer({ ISOLA_MEMORY_BUDGET_MIB: "512", ...env });
    servers.push(server);
    return await server.start();
  };

  test("gives up its blank sandboxes for a function that needs all of it", async () => {
    const server = await start({});
    await server.deploy("large", { "index.mjs": reply("large") }, { memoryMiB: 512 });
    await eventually("blank sandboxes", async () => {
      const { json } = await server.api("GET", "/api/v1/system");
      return json.gateway.blankPools.every((pool: { ready: number }) => pool.ready === 2);
    });
    const answer = await server.call("/large");
    assert.equal(answer.status, 200, answer.text);
  });

  const budgets: [memoryMiB: number, blanks: string][] = [
    [512, "0"],
    [128, "2"],
  ];
  for (const [memoryMiB, blanks] of budgets)
    test(`waits for ${memoryMiB} MiB without spinning`, async () => {
      const server = await start({
        ISOLA_MEMORY_BUDGET_MIB: String(memoryMiB),
        ISOLA_BLANK_NODEJS: blanks,
        ISOLA_BLANK_PYTHON: "0",
      });
      const hold = "await new Promise((resolve) => setTimeout(resolve, 3000));";
      const code = `export default { async fetch() { ${hold} return new Response("x") } }`;
      await server.deploy("hold", { "index.mjs": code }, { memoryMiB });
      const calls = [server.call("/hold"), server.call("/hold")];
      await eventually("a queued call", async () => {
        const { json } = await server.api("GET", "/api/v1/system");
        const [pool] = json.gateway.pools;
        return pool?.running === 1 && pool.queued === 1;
      });
      const before = cpuMs(gatewayOf(server));
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const usedMs = cpuMs(gatewayOf(server)) - before;
      assert.ok(usedMs < 500, `the gateway used ${usedMs} ms of CPU in a second of waiting`);
      for (const call of calls) assert.equal((await call).status, 200);
    });
});

/** User and system time of a process, at 100 ticks a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
