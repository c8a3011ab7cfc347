import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo } from "node:net";
import { createServer } from "node:http";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, after, before, describe, test } from "node:test";
import { ApiError, createClient } from "@isola/api/client";
import { runProgram } from "../../../cli/src/program.ts";
import { tarOf } from "../../src/artifacts/archives.fixture.ts";
import { TestServer } from "../harness.ts";
import { honoCode, honoPackage, scriptedPackage } from "./packages.ts";

const server = new TestServer();

before(async () => {
  await server.start();
});

after(async () => {
  await server.dispose();
});

const build = { scripts: true };
const accept = "application/x-ndjson";

async function deployStreamed(name: string, files: Record<string, string>) {
  const body = { name, runtime: "nodejs", build, code: { files } };
  const answer = await server.api("POST", "/api/v1/functions", body, { accept });
  const lines = answer.text.trim().split("\n");
  return { ...answer, lines: lines.map((line) => JSON.parse(line)) };
}

describe("a deploy whose caller accepts lines", () => {
  test("gets the output as it comes, then the function", async () => {
    const { status, headers, lines } = await deployStreamed(
      "said",
      scriptedPackage("console.log('hello');"),
    );
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), accept);
    assert.match(headers.get("isola-request-id") ?? "", /^[0-9a-f-]{36}$/);
    assert.ok(lines.some(({ type, text }) => type === "output" && text === "hello"));
    const { type, function: made } = lines.at(-1);
    assert.deepEqual(
      [type, made.name, made.liveRevision, made.applied],
      ["function", "said", 1, true],
    );
    assert.equal((await server.call("/said")).text, "lib");
  });

  test("gets the error as the last line, with the end of the output", async () => {
    const { status, lines } = await deployStreamed(
      "unsaid",
      scriptedPackage("console.log('oh'); process.exit(1);"),
    );
    assert.equal(status, 200);
    const { type, error } = lines.at(-1);
    assert.deepEqual([type, error.code], ["error", "build_failed"]);
    assert.match(error.details[0].given, /^oh$/m);
  });

  test("gets an ordinary answer where nothing is built or nothing was said before it failed", async () => {
    const plain = await deployStreamed("plain", { "index.mjs": "export const handler = () => 1;" });
    assert.deepEqual([plain.status, plain.json.name], [201, "plain"]);
    const again = await deployStreamed("plain", { "index.mjs": "" });
    assert.deepEqual([again.status, again.json.error.code], [409, "conflict"]);
  });

  test("gets the first answer again with the same Idempotency-Key", async () => {
    const headers = { accept, "idempotency-key": "once" };
    const code = { files: scriptedPackage("console.log('for the key');") };
    const body = { name: "keyed", runtime: "nodejs", build, code };
    const first = await server.api("POST", "/api/v1/functions", body, headers);
    const made = JSON.parse(first.text.trim().split("\n").at(-1) as string);
    const second = await server.api("POST", "/api/v1/functions", body, headers);
    assert.equal(second.headers.get("isola-replayed"), "true");
    assert.equal(second.json.etag, made.function.etag);
  });

  test("hears it through the client, and an error of it as an error", async () => {
    const client = createClient({ url: server.apiUrl, apiKey: server.adminKey });
    const heard: string[] = [];
    const options = { onOutput: (text: string) => heard.push(text) };
    const changed = await client.putCode(
      "said",
      { files: scriptedPackage("console.log('again');") },
      options,
    );
    assert.equal(changed.liveRevision, 2);
    assert.ok(heard.includes("again"));
    const broken = { files: scriptedPackage("process.exit(1);") };
    await assert.rejects(client.putCode("said", broken, options), (error: unknown) => {
      assert.ok(error instanceof ApiError);
      return error.code === "build_failed" && error.details.length === 1;
    });
    const { items } = await client.listBuilds("said");
    assert.deepEqual(
      items.map(({ state }) => state),
      ["failed", "ok", "ok"],
    );
  });
});

function folderOf(t: TestContext, files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), "isola-builds-cli-"));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(dir, dirname(path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

async function isola(...argv: string[]) {
  let [stdout, stderr] = ["", ""];
  const code = await runProgram(argv, {
    env: { ISOLA_URL: server.apiUrl, ISOLA_API_KEY: server.adminKey },
    cwd: tmpdir(),
    stdin: process.stdin,
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) } as unknown as NodeJS.WritableStream,
    signal: new AbortController().signal,
  });
  return { code, stdout, stderr };
}

describe("isola deploy", () => {
  test("shows the output, finds nothing to do the next time, and the reason of a failure once", async (t) => {
    const files = scriptedPackage("console.log('built for the command');");
    const dir = folderOf(t, files);
    const first = await isola("deploy", dir, "--name", "cli", "--build", "scripts");
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, /^cli \| built for the command$/m);
    const second = await isola("deploy", dir, "--name", "cli", "--build", "scripts", "--check");
    assert.equal(second.code, 0, second.stdout);
    writeFileSync(join(dir, "script.cjs"), "console.log('no good'); process.exit(1);");
    const third = await isola("deploy", dir, "--name", "cli", "--build", "scripts", "--yes");
    assert.equal(third.code, 1);
    assert.match(third.stderr, /isola: the build failed: npm ci failed/);
    assert.equal(third.stderr.match(/no good/g)?.length, 1, third.stderr);
  });

  test("refuses words of --build that it does not know", async (t) => {
    const { code, stderr } = await isola(
      "deploy",
      folderOf(t, honoPackage),
      "--build",
      "everything",
    );
    assert.equal(code, 2);
    assert.match(stderr, /--build takes auto, none, scripts, bundle/);
  });
});

test("a mirror of the operator's is used in place of npm's registry, under a private address that is named", async (t) => {
  const tar = gzipSync(
    await tarOf([
      {
        name: "package/package.json",
        text: '{"name":"hono","version":"4.6.14","type":"module","main":"index.js"}',
      },
      {
        name: "package/index.js",
        text: "export class Hono { get() {} fetch() { return new Response('from the mirror'); } }",
      },
    ]),
  );
  const integrity = `sha512-${createHash("sha512").update(tar).digest("base64")}`;
  const seen: string[] = [];
  const mirror = createServer((asked, answer) => {
    seen.push(asked.url ?? "");
    const base = `http://${asked.headers.host}`;
    if (asked.url === "/npm/hono/-/hono-4.6.14.tgz") return answer.end(tar);
    const version = {
      name: "hono",
      version: "4.6.14",
      dist: { tarball: `${base}/npm/hono/-/hono-4.6.14.tgz`, integrity },
    };
    answer.setHeader("content-type", "application/json");
    return answer.end(
      JSON.stringify({
        name: "hono",
        "dist-tags": { latest: "4.6.14" },
        versions: { "4.6.14": version },
      }),
    );
  });
  await once(mirror.listen(0, "127.0.0.1"), "listening");
  t.after(() => mirror.close());
  const origin = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;
  const behind = new TestServer({
    ISOLA_NPM_REGISTRY: `${origin}/npm`,
    ISOLA_BUILD_REGISTRIES: "",
    ISOLA_BUILD_PRIVATE_REGISTRIES: origin,
  });
  try {
    await behind.start();
    const lock = JSON.parse(honoPackage["package-lock.json"]);
    lock.packages["node_modules/hono"].integrity = integrity;
    const files = {
      ...honoPackage,
      "package-lock.json": JSON.stringify(lock),
      "index.mjs": honoCode,
    };
    await behind.deploy("mirrored", files);
    assert.equal((await behind.call("/mirrored")).text, "from the mirror");
    assert.ok(seen.includes("/npm/hono/-/hono-4.6.14.tgz"), seen.join());
  } finally {
    await behind.dispose();
  }
});
