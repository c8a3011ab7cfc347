import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { scriptedPackage } from "../builds/packages.ts";
import { eventually } from "../harness.ts";
import { RecoveringServer } from "./recovering-server.ts";
import { artifactsOn, assertNothingLeft, pidOf, strayFiles } from "./traces.ts";

const fns = "/api/v1/functions";
const build = { scripts: true };

const server = new RecoveringServer();

before(async () => {
  await server.begin();
  await server.deploy("kept", { "index.mjs": "export const handler = () => 'old';" }, { build });
});

after(async () => {
  await server.stop();
  await assertNothingLeft(server);
  await server.dispose();
});

/** A change whose build runs the script; fails or is answered, whatever becomes of the server. */
function deploy(script: string) {
  const files = scriptedPackage(script);
  return server.api("PUT", `${fns}/kept/code`, { files }).catch(() => null);
}

async function stateOf(): Promise<{ latest: number; state: string; message: string }> {
  const { json } = await server.api("GET", `${fns}/kept`);
  const { json: builds } = await server.api("GET", `${fns}/kept/builds`);
  const { state, message } = builds.items[0];
  return { latest: json.latestRevision, state, message };
}

/** Digests that some revision refers to. */
async function referred(): Promise<string[]> {
  const { json } = await server.api("GET", `${fns}/kept/revisions?limit=100`);
  const digests = json.items.flatMap(({ codeDigest, layer }: any) => [codeDigest, layer?.digest]);
  return [...new Set<string>(digests.filter(Boolean))].toSorted();
}

function socketsDir(): string {
  return readFileSync(join(server.dataDir, "run", "builds-dir"), "utf8");
}

describe("a control plane that is killed in the middle of a build", () => {
  for (const [at, point] of (["build.made", "build.kept"] as const).entries())
    test(`at ${point} leaves no revision and no layer; the build is told as failed, and the next one works`, async () => {
      await server.stop();
      await server.begin(`${point}=kill`);
      const { json: old } = await server.api("GET", `${fns}/kept`);
      const script = `console.log(${at});`;
      assert.notEqual((await deploy(script))?.status, 200);
      await server.ready();
      const { latest, state, message } = await stateOf();
      assert.equal(latest, old.latestRevision);
      assert.deepEqual([state, message], ["failed", "the server ended while it ran"]);
      assert.deepEqual(strayFiles(server), []);
      assert.deepEqual(artifactsOn(server), await referred());
      const answer = await deploy(script);
      assert.equal(answer?.status, 200, String(answer?.text));
      assert.equal((await server.call("/kept")).text, "lib");
      const { json } = await server.api("GET", `${fns}/kept/builds`);
      assert.equal(json.items[0].isCached, false);
    });
});

test("a server that is killed while a build runs leaves no sandbox, no socket and no file", async () => {
  const going = deploy("console.log('begun'); for (;;);");
  await eventually("the build runs", async () => {
    const { text } = await server.api("GET", "/api/v1/system");
    return text.includes('kept (build)"') && text.includes('"busy":1');
  });
  const dir = socketsDir();
  assert.equal(readdirSync(dir).length, 1);
  await server.killAll();
  await going;
  await server.begin();
  assert.ok(!existsSync(dir));
  assert.equal((await stateOf()).state, "failed");
  assert.deepEqual(strayFiles(server), []);
});

test("a gateway that is killed while a build runs fails the deploy; the next one works", async () => {
  const going = deploy(
    "console.log('again'); const end = Date.now() + 3000; while (Date.now() < end);",
  );
  await eventually("the build runs", async () => {
    const { text } = await server.api("GET", "/api/v1/system");
    return text.includes('kept (build)"') && text.includes('"busy":1');
  });
  process.kill(pidOf(server, "gateway"), "SIGKILL");
  assert.equal((await going)?.status, 503);
  await server.ready();
  assert.equal((await stateOf()).state, "failed");
  assert.equal((await deploy("console.log('at last');"))?.status, 200);
});
