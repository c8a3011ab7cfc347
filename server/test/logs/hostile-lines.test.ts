import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { runIsola } from "../../../cli/test/run-isola.ts";
import { TestServer, eventually } from "../harness.ts";

/** Writes a `LOG` frame itself, whose text no runtime has cut into lines. */
const hostile = `import { writeSync } from "node:fs";
function frame(stream, text) {
  const bytes = Buffer.from(text);
  const whole = Buffer.alloc(20 + bytes.length);
  whole.writeUInt32LE(8 + bytes.length, 0); whole[4] = 0x20; whole.writeUInt32LE(stream, 8);
  whole.writeDoubleLE(Date.now(), 12); bytes.copy(whole, 20);
  writeSync(3, whole);
}
export default { fetch() {
  console.log("\\u001b[2J\\u001b]0;title\\u0007 <script>alert(1)</script> <b>bold</b>");
  frame(1, "mine\\r\\n2026-01-01T00:00:00.000Z error hostile inv-0 forged\\u2028and\\u0085more\\0");
  console.log(JSON.stringify({ level: "error", msg: "json\\nforged", secret: 1 }));
  process.stdout.write("progress 10%\\rprogress 100%\\n");
  console.error("\\u202egnp.exe");
  return new Response("ok");
} }`;

describe("lines that try to be more than text", { timeout: 60_000 }, () => {
  const server = new TestServer();
  before(async () => {
    await server.start();
    await server.deploy("hostile", { "index.mjs": hostile });
    await server.deploy("quiet", { "index.mjs": "export const handler = () => console.log('q');" });
    assert.equal((await server.call("/hostile")).status, 200);
    assert.equal((await server.call("/quiet")).status, 200);
    await eventually("the lines", async () => {
      const { json } = await server.api("GET", "/api/v1/logs");
      return json.items.length >= 6;
    });
  });
  after(() => server.dispose());

  const isola = (...argv: string[]) =>
    runIsola(argv, {
      env: { ISOLA_URL: server.apiUrl, ISOLA_API_KEY: server.adminKey },
      cwd: server.dataDir,
    });
  const prefix = /^\d{4}-\d\d-\d\dT[\d:.]+Z (?:stdout|stderr|info|error) /;

  test("come from the API as they were written, in JSON alone", async () => {
    const answer = await server.api("GET", "/api/v1/functions/hostile/logs");
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    const texts = answer.json.items.map(({ text }: { text: string }) => text);
    assert.ok(
      texts.includes("\u001b[2J\u001b]0;title\u0007 <script>alert(1)</script> <b>bold</b>"),
    );
    assert.ok(
      texts.some((text: string) => text.startsWith("mine\r\n2026") && text.endsWith("\ufffd")),
    );
    const { items } = (await server.api("GET", "/api/v1/logs?level=error&text=FORGED")).json;
    assert.deepEqual(
      items.map(({ functionName, message }: Record<string, unknown>) => [functionName, message]),
      [["hostile", "json\nforged"]],
    );
  });

  test("are one line each on the command line, and steer nothing", async () => {
    const { stdout, exitCode } = await isola("logs");
    assert.equal(exitCode, 0);
    // oxlint-disable-next-line no-control-regex -- what steers a terminal is looked for
    assert.doesNotMatch(
      stdout,
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/,
    );
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines.length, 6);
    for (const line of lines) assert.match(line, prefix);
    const named = lines.map((line) => line.split(" ")[2]);
    assert.deepEqual(named.toSorted(), [...Array(5).fill("hostile"), "quiet"]);
    assert.ok(lines.some((line) => line.includes("mine\\r\\n2026-01-01T00:00:00.000Z error")));
    assert.ok(lines.some((line) => line.includes("progress 10%\\rprogress 100%")));
    assert.ok(lines.some((line) => / error hostile inv-\S+ json\\nforged \{/.test(line)));
    const one = await isola(
      "logs",
      "hostile",
      "--text",
      "GNP",
      "--stream",
      "stderr",
      "--since",
      "1h",
    );
    assert.match(one.stdout, /^\S+ error inv-\S+ \\u202egnp\.exe\n$/);
    const json = await isola("logs", "hostile", "--level", "error", "--json");
    // oxlint-disable-next-line no-control-regex -- as above
    assert.doesNotMatch(json.stdout, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    assert.equal((JSON.parse(json.stdout) as { items: unknown[] }).items.length, 2);
  });

  test("are refused where they are asked for in a way that there is not", async () => {
    for (const argv of [
      ["--since", "soon"],
      ["--limit", "x"],
      ["-f", "--until", "1h"],
    ])
      assert.equal((await isola("logs", ...argv)).exitCode, 2, argv.join(" "));
    assert.equal((await isola("logs", "--level", "loud")).exitCode, 1);
    assert.equal((await isola("logs", "nothing")).exitCode, 1);
    assert.equal((await isola("events", "--kind", "nothing")).exitCode, 1);
  });

  test("are followed as they come, once each, through a restart of the control plane", async (t) => {
    const stop = new AbortController();
    t.after(() => stop.abort());
    const shown: string[] = [];
    const texts = () => shown.map((line) => (JSON.parse(line) as { text: string }).text);
    const following = runIsola(["logs", "quiet", "-f", "--json", "--limit", "5"], {
      env: { ISOLA_URL: server.apiUrl, ISOLA_API_KEY: server.adminKey },
      cwd: server.dataDir,
      stdout: { write: (text) => shown.push(text) },
      signal: stop.signal,
    });
    await eventually("what there was", async () => shown.length === 1);
    await server.call("/quiet");
    await eventually("the next", async () => shown.length === 2);
    const control = (await server.api("GET", "/api/v1/events?kind=control_started")).json.items[0];
    process.kill(control.fields.pid, "SIGKILL");
    await server.call("/quiet");
    await eventually("another control plane", () =>
      server.api("GET", "/readyz").then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    await eventually("the one after the restart", async () => shown.length === 3);
    await server.call("/quiet");
    await eventually("and after that", async () => shown.length === 4);
    stop.abort();
    assert.equal((await following).exitCode, 0);
    assert.deepEqual(texts(), ["q", "q", "q", "q"]);
    assert.equal(new Set(shown.map((line) => (JSON.parse(line) as { id: string }).id)).size, 4);
  });
});
