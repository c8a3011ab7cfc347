import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { TestServer, eventually } from "../harness.ts";
import { scriptedPackage } from "./packages.ts";

const server = new TestServer({
  ISOLA_BUILD_MEMORY_MIB: "256",
  ISOLA_BUILD_TIMEOUT_MS: "20000",
  SECRET_OF_THE_HOST: "s3cr3t-of-the-host",
});

before(async () => {
  await server.start();
});

after(async () => {
  await server.dispose();
});

/** Deploys a package whose build runs the script. */
async function build(name: string, script: string, more: Record<string, unknown> = {}) {
  const settings = { runtime: "nodejs", build: { scripts: true }, ...more };
  const code = { files: scriptedPackage(script) };
  const answer = await server.api("POST", "/api/v1/functions", { name, code, ...settings });
  const { json } = await server.api("GET", `/api/v1/functions/${name}/builds`);
  return { ...answer, build: json.items?.[0] };
}

/** What a build leaves on its way. */
function leftovers(): string[] {
  return readdirSync(join(server.dataDir, "run", "builds"));
}

describe("code that runs in a build", () => {
  test("runs only where the function allows it", async () => {
    const without = await build("quiet", "console.log('it ran');", { build: {} });
    assert.equal(without.status, 201, without.text);
    assert.doesNotMatch(without.build.output.join("\n"), /it ran/);
    const allowed = await build("loud", "console.log('it ran');");
    assert.equal(allowed.status, 201, allowed.text);
    assert.match(allowed.build.output.join("\n"), /it ran/);
    assert.equal((await server.call("/loud")).text, "lib");
  });

  test("sees no secret of the function, of the server or of the machine", async () => {
    const script =
      "console.log(JSON.stringify(process.env)); console.log(require('fs').readdirSync('/').join());";
    const env = { TOKEN: "s3cr3t-of-the-function" };
    const { status, build: made } = await build("env", script, { env });
    assert.equal(status, 201);
    const output = made.output.join("\n");
    assert.match(output, /npm_lifecycle_event/);
    assert.doesNotMatch(output, /s3cr3t|SECRET_OF_THE_HOST|TOKEN|ISOLA_/);
    assert.doesNotMatch(output, /\b(?:home|root|work)\b,/);
  });

  test("has no network but the way to the registries", async (t) => {
    const listener = createServer((socket) => socket.destroy());
    await once(listener.listen(0, "127.0.0.1"), "listening");
    let connections = 0;
    listener.on("connection", () => (connections += 1));
    t.after(() => listener.close());
    const { port } = listener.address() as AddressInfo;
    const script = `
      const net = require("net"), fs = require("fs");
      const ways = [{ host: "127.0.0.1", port: ${port} }, { host: "1.1.1.1", port: 443 }, { host: "203.0.113.80", port: 443 }];
      for (const way of ways) {
        const socket = net.connect(way);
        socket.on("connect", () => console.log("REACHED " + way.host));
        socket.on("error", (error) => console.log("cannot: " + error.code));
      }
      for (const to of ["127.0.0.1:${port}", "localhost:${port}", "169.254.169.254:80", "example.com:443", "registry.npmjs.org:80"]) {
        const socket = net.connect("/opt/isola/registries.sock");
        socket.write("CONNECT " + to + " HTTP/1.1\\r\\nhost: " + to + "\\r\\n\\r\\n");
        socket.on("data", (bytes) => console.log("proxy: " + to + " " + bytes.toString().split("\\r\\n")[0]));
      }
      try { fs.unlinkSync("/opt/isola/registries.sock"); console.log("REMOVED"); } catch (error) { console.log("kept: " + error.code); }
    `;
    const { build: made } = await build("network", script);
    const output = made.output.join("\n");
    assert.doesNotMatch(output, /REACHED|REMOVED| 200 /);
    assert.equal(output.match(/cannot: E/g)?.length, 3, output);
    assert.equal(output.match(/proxy: \S+ HTTP\/1\.1 403 /g)?.length, 5, output);
    assert.equal(connections, 0);
  });

  test("that takes all memory ends the build and nothing else", async () => {
    const script = "const all = []; for (;;) all.push(Buffer.alloc(16 * 2 ** 20, 1));";
    const { status, json } = await build("greedy", script);
    assert.equal(status, 422);
    assert.match(json.error.message, /256 MiB of memory|failed with status|was ended by/);
    const files =
      "const fs = require('fs'); for (let i = 0; ; i++) fs.writeFileSync('/tmp/f' + i, Buffer.alloc(8 * 2 ** 20, 1));";
    const disk = await build("greedy-disk", files);
    assert.equal(disk.status, 422);
    assert.equal(
      (await server.deploy("after", { "index.mjs": "export const handler = () => 1;" }))
        .liveRevision,
      1,
    );
  });

  test("that writes without end is cut, and the end of it is not kept whole", async () => {
    const script =
      "for (let i = 0; i < 200000; i++) console.log('line ' + i + ' ' + 'x'.repeat(200)); process.exit(3);";
    const { status, build: made, json } = await build("flood", script);
    assert.equal(status, 422);
    assert.match(json.error.message, /npm ci failed/);
    assert.ok(made.output.join("\n").length <= 65_536);
    assert.ok(JSON.stringify(json).length < 65_536);
  });

  test("that forks without end, or kills what it finds, only fails", async () => {
    const forks =
      "const { spawn } = require('child_process'); for (let i = 0; i < 500; i++) spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']).on('error', () => {}); process.exit(1)";
    assert.equal((await build("forks", forks)).status, 422);
    const kills =
      "for (let pid = 1; pid < 400; pid++) { if (pid === process.pid) continue; try { process.kill(pid, 'SIGKILL'); } catch {} }";
    const { status, json } = await build("kills", kills);
    assert.equal(status, 422);
    assert.match(json.error.message, /the build failed/);
  });

  test("gains nothing from links out of what is installed", async () => {
    const script = `
      const fs = require("fs");
      fs.mkdirSync("node_modules/evil");
      fs.writeFileSync("node_modules/evil/real.js", "module.exports = 1;");
      fs.symlinkSync("/etc/passwd", "node_modules/evil/passwd");
      fs.symlinkSync("/proc/self/environ", "node_modules/evil/environ");
      fs.symlinkSync("../../..", "node_modules/evil/up");
      fs.symlinkSync(".", "node_modules/evil/loop");
      fs.symlinkSync("real.js", "node_modules/evil/inner.js");
    `;
    const { status, text } = await build("links", script);
    assert.equal(status, 201, text);
    const code = {
      files: {
        ...scriptedPackage(script),
        "index.mjs":
          "import { readdirSync } from 'node:fs';\nexport const handler = () => readdirSync('node_modules/evil').join();\n",
      },
    };
    await server.api("PUT", "/api/v1/functions/links/code", code);
    assert.equal((await server.call("/links")).text, "inner.js,real.js");
  });
});

describe("a build", () => {
  test("that takes too long is ended", async () => {
    const quick = new TestServer({ ISOLA_BUILD_TIMEOUT_MS: "2000" });
    try {
      await quick.start();
      const code = { files: scriptedPackage("for (;;);") };
      const body = { name: "slow", runtime: "nodejs", code, build: { scripts: true } };
      const { status, json } = await quick.api("POST", "/api/v1/functions", body);
      assert.equal(status, 422);
      assert.match(json.error.message, /longer than 2000 ms \(setting buildTimeoutMs\)/);
    } finally {
      await quick.dispose();
    }
  });

  test("whose deployer goes away is ended, and leaves nothing", async () => {
    const abort = new AbortController();
    const code = { files: scriptedPackage("console.log('begun'); for (;;);") };
    const body = { name: "left", runtime: "nodejs", code, build: { scripts: true } };
    const going = fetch(`${server.apiUrl}/api/v1/functions`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.adminKey}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: abort.signal,
    });
    going.catch(() => {});
    const stateOf = async () =>
      (await server.api("GET", "/api/v1/functions/left/builds")).json.items?.[0]?.state;
    const hasSandbox = async () => {
      const { text } = await server.api("GET", "/api/v1/system");
      return text.includes('left (build)"') && text.includes('"busy":1');
    };
    await eventually("the build runs", hasSandbox);
    assert.equal(await stateOf(), "running");
    abort.abort();
    await assert.rejects(going);
    await eventually("it is cancelled", async () => (await stateOf()) === "cancelled");
    await eventually("its sandbox is gone", async () => !(await hasSandbox()));
    await eventually("nothing is left", async () => leftovers().length === 0);
    assert.equal((await server.api("GET", "/api/v1/functions/left")).status, 404);
  });
});

test("a server that stops does not wait for a build, and says so to its deployer", async () => {
  const stopping = new TestServer();
  try {
    await stopping.start();
    const code = { files: scriptedPackage("for (;;);") };
    const body = { name: "cut", runtime: "nodejs", code, build: { scripts: true } };
    const going = stopping.api("POST", "/api/v1/functions", body);
    await eventually("the build runs", async () => {
      const { text } = await stopping.api("GET", "/api/v1/system");
      return text.includes('cut (build)"') && text.includes('"busy":1');
    });
    const stoppedAt = performance.now();
    assert.equal(await stopping.stop(), 0);
    assert.ok(performance.now() - stoppedAt < 15_000);
    const { status, json } = await going;
    assert.deepEqual([status, json.error.code], [503, "shutting_down"]);
    assert.deepEqual(readdirSync(join(stopping.dataDir, "run", "builds")), []);
    assert.ok(!existsSync(join(stopping.dataDir, "run", "builds-dir")), "the folder of sockets");
  } finally {
    await stopping.dispose();
  }
});

test("a build that the memory budget has no room for is refused with words that say so", async () => {
  const small = new TestServer({ ISOLA_MEMORY_BUDGET_MIB: "512" });
  try {
    await small.start();
    const code = { files: scriptedPackage("") };
    const body = { name: "large", runtime: "nodejs", code, build: { scripts: true } };
    const { status, json } = await small.api("POST", "/api/v1/functions", body);
    assert.equal(status, 503);
    assert.match(json.error.message, /needs 1024 MiB.*budget is 512 MiB/);
  } finally {
    await small.dispose();
  }
});
