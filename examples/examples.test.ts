import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { checkResponse, type Example, loadExamples } from "./cases.ts";
import { answerDirectly, javaScriptFile } from "./direct.ts";

const examples = loadExamples();

test("every example is listed in the README and every listed one exists", () => {
  const readme = readFileSync(join(import.meta.dirname, "README.md"), "utf8");
  const listed = [...readme.matchAll(/\[([a-z-]+)\]\(\1\)/g)].map((match) => match[1]);
  assert.deepEqual(
    listed.sort(),
    examples.map((example) => example.name),
  );
});

for (const example of examples) {
  describe(example.name, () => {
    test("has settings that Isola knows, code, input and a README with its commands", () => {
      checkFiles(example);
    });
    // What their deploy installs is not here; the server's tests call them.
    if (needsBuild(example)) return;
    test("answers its cases as expected when its code is called directly", async (t) => {
      giveOwnTmp(t);
      for (const one of example.cases) {
        const [fn] = example.functions;
        assert(fn, "one function");
        await checkResponse(await answerDirectly(fn, one), one);
      }
    });
  });
}

/** In a sandbox `/tmp` is the function's own. */
function giveOwnTmp(t: TestContext): void {
  const { TMPDIR: before } = process.env;
  const dir = mkdtempSync(join(tmpdir(), "isola-example-"));
  process.env.TMPDIR = dir;
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(dir, { recursive: true });
  });
}

function needsBuild({ functions }: Example): boolean {
  const files = ["package-lock.json", "requirements.txt", "pyproject.toml"];
  return functions.some(({ codeDir }) => files.some((name) => existsSync(join(codeDir, name))));
}

const settingNames = new Set([
  "build",
  "concurrency",
  "env",
  "handler",
  "idleTimeoutMs",
  "maxSandboxes",
  "memoryMiB",
  "route",
  "timeoutMs",
]);

function checkFiles(example: Example): void {
  const readme = readFileSync(join(example.dir, "README.md"), "utf8");
  assert(readme.includes(`npm run isola -- deploy examples/${example.name}\n`));
  for (const [path] of readme.matchAll(/examples\/[\w-]+\/input\/[\w.-]+/g)) {
    assert(existsSync(join(import.meta.dirname, "..", path)), path);
  }
  assert(readdirSync(join(example.dir, "input")).length > 0);
  assert(example.cases.length > 0);
  for (const fn of example.functions) {
    assert.match(fn.name, /^[a-z][a-z0-9-]{0,62}$/);
    assert(["nodejs", "python"].includes(fn.runtime), fn.runtime);
    const unknown = Object.keys(fn.settings).filter((name) => !settingNames.has(name));
    assert.deepEqual(unknown, [], "settings that are not known");
    const entry = fn.runtime === "python" ? join(fn.codeDir, "app.py") : javaScriptFile(fn.codeDir);
    assert(existsSync(entry), entry);
  }
}

const streams = [
  {
    name: "server-sent-events",
    request: { url: "http://127.0.0.1/?count=1000&intervalMs=10000" },
    begins: /^id: 1\nevent: tick\n/,
  },
  {
    name: "streaming-chat",
    request: {
      url: "http://127.0.0.1/",
      method: "POST",
      body: JSON.stringify({ messages: [{ role: "user", content: "word ".repeat(9000) }] }),
    },
    begins: /^data: \{.*"content":"You said:"/,
  },
];

for (const { name, request, begins } of streams)
  test(`the stream of ${name} ends when the caller goes away`, { timeout: 20_000 }, async () => {
    const fn = examples.find((example) => example.name === name)?.functions[0];
    assert(fn);
    const module = await import(pathToFileURL(javaScriptFile(fn.codeDir)).href);
    const caller = new AbortController();
    const { url, ...init } = request;
    const response: Response = await module.default.fetch(
      new Request(url, { ...init, signal: caller.signal }),
      {},
    );
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const first = await reader.read();
    assert.match(Buffer.from(first.value as Uint8Array).toString(), begins);
    const second = reader.read();
    caller.abort();
    let left = await second;
    // What was made before the caller went may still come; no more than that.
    if (!left.done) left = await reader.read();
    assert.equal(left.done, true);
  });

test("the numbers of csv-stats do not depend on the order of the rows", async () => {
  const example = examples.find((one) => one.name === "csv-stats");
  const [fn] = example?.functions ?? [];
  const [described] = example?.cases ?? [];
  assert(fn && described?.request.body);
  const [head, ...rows] = described.request.body.toString("utf8").trimEnd().split("\n");
  const turned = Buffer.from([head, ...rows.reverse()].join("\r\n"));
  const request = { ...described.request, body: turned };
  await checkResponse(await answerDirectly(fn, { ...described, request }), described);
});
