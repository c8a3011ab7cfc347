import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Type } from "../../protocol/src/frames.mjs";
import { TestHost } from "./test-host.ts";

type Files = Record<string, string>;

async function kindAndAnswer(files: Files, handler = "index.handler"): Promise<[string, string]> {
  await using host = await TestHost.ready(files, { handler });
  const ready = await host.first((frame) => frame.type === Type.READY);
  const { kind } = JSON.parse(ready.payload.toString());
  const { body, error } = await host.invoke();
  return [kind, error === null ? body.toString() : `${error.code}: ${error.message}`];
}

async function initError(files: Files, handler = "index.handler") {
  await using host = new TestHost();
  await host.load(files, { handler });
  const { payload, stream } = await host.first((frame) => frame.type === Type.ERROR);
  assert.equal(stream, 0);
  const error = JSON.parse(payload.toString());
  assert.equal(error.code, "init_failed");
  return error as { type: string; message: string; stack: string };
}

const lambda = "async () => 'yes'";
const fetcher = "{ fetch: () => new Response('yes') }";

describe("the code of a function", () => {
  const kinds: [string, string, Files, string?][] = [
    ["an ES module", "lambda", { "index.mjs": `export const handler = ${lambda}` }],
    [
      "a .js file as ES module by package.json",
      "lambda",
      { "index.js": `export const handler = ${lambda}`, "package.json": '{"type":"module"}' },
    ],
    [
      "a .js file as CommonJS by package.json",
      "lambda",
      {
        "index.js": `const { join } = require("node:path"); exports.handler = ${lambda}`,
        "package.json": '{"type":"commonjs"}',
      },
    ],
    ["a .js file without package.json", "lambda", { "index.js": `exports.handler = ${lambda}` }],
    ["a .cjs file", "lambda", { "index.cjs": `module.exports = { handler: ${lambda} }` }],
    [
      "CommonJS whose exports show only when it runs",
      "lambda",
      { "index.cjs": `module.exports[["hand", "ler"].join("")] = ${lambda}` },
    ],
    ["CommonJS that is a function", "lambda", { "index.cjs": `module.exports = ${lambda}` }],
    ["CommonJS with fetch", "fetch", { "index.cjs": `module.exports = ${fetcher}` }],
    [
      "CommonJS compiled from an ES module",
      "fetch",
      { "index.cjs": `exports.__esModule = true; exports.default = ${fetcher}` },
    ],
    [
      "TypeScript as it is",
      "lambda",
      {
        "index.ts": `import { word } from "./word.ts"; export const handler = async (event: unknown): Promise<string> => word as string;`,
        "word.ts": `export const word: string = "yes";`,
        "package.json": '{"type":"module"}',
      },
    ],
    ["a .mts file", "lambda", { "index.mts": `export const handler = ${lambda} as unknown` }],
    ["a .cts file", "lambda", { "index.cts": `exports.handler = ${lambda} as unknown` }],
    ["a default with fetch", "fetch", { "index.mjs": `export default ${fetcher}` }],
    ["a default function", "lambda", { "index.mjs": `export default ${lambda}` }],
    [
      "a named export before a default",
      "lambda",
      { "index.mjs": `export const handler = ${lambda}; export default ${fetcher}` },
    ],
    [
      "a named export with fetch",
      "fetch",
      { "index.mjs": `const app = ${fetcher}; export { app as handler };` },
    ],
    ["top-level await", "lambda", { "index.mjs": `await null; export const handler = ${lambda}` }],
    [
      "packages in node_modules",
      "lambda",
      {
        "index.mjs": `import word from "word"; export const handler = async () => word;`,
        "node_modules/word/package.json": '{"name":"word","main":"main.js"}',
        "node_modules/word/main.js": "module.exports = 'yes';",
      },
    ],
    [
      "a file in a folder",
      "lambda",
      { "src/deep/app.mjs": `export const handler = ${lambda}` },
      "src/deep/app.handler",
    ],
    [
      "a member of an export",
      "lambda",
      { "app.mjs": `export const api = { get: ${lambda} }` },
      "app.api.get",
    ],
  ];
  for (const [what, kind, files, handler] of kinds)
    test(`may be ${what}`, async () => {
      assert.deepEqual(await kindAndAnswer(files, handler), [kind, "yes"]);
    });

  test("finds files with long and non-ASCII names", async () => {
    const folder = "a-folder-with-a-rather-long-name/".repeat(8);
    const files = {
      "index.mjs": `export { handler } from "./${folder}ü.mjs"`,
      [`${folder}ü.mjs`]: `export const handler = ${lambda}`,
    };
    assert.deepEqual(await kindAndAnswer(files), ["lambda", "yes"]);
  });
});

describe("code that cannot be loaded", () => {
  test("names the files looked for and those found", async () => {
    const { message } = await initError({ "main.mjs": "", "lib/a.mjs": "" });
    assert.match(message, /handler "index.handler": the package has none of index.mjs, index.js/);
    assert.match(message, /it has lib\/a.mjs, main.mjs$/);
  });

  test("names the export looked for and those found", async () => {
    const { message } = await initError({
      "index.mjs": "export const run = 1, stop = 2; export const handler = 'text';",
    });
    assert.match(
      message,
      /index.mjs exports neither a function "handler" nor a default with fetch/,
    );
    assert.match(message, /it exports handler, run, stop; its "handler" is of type string/);
  });

  test("an empty package is named as such", async () => {
    assert.match((await initError({})).message, /it has no files$/);
  });

  const causes: [string, string, string, RegExp][] = [
    ["a syntax error", "export const x = ;", "SyntaxError", /cannot load index.mjs: Unexpected/],
    ["an exception", "throw new RangeError('at start')", "RangeError", /at start/],
    ["a missing package", "import 'not-there'", "Error", /Cannot find package 'not-there'/],
    ["a missing file", "import './not-there.mjs'", "Error", /not-there.mjs/],
    ["something else thrown", "throw 'text'", "string", /cannot load index.mjs: text/],
    ["an import without that name", "import { no } from 'node:fs'", "SyntaxError", /'no'/],
  ];
  for (const [what, code, type, message] of causes)
    test(`tells of ${what}`, async () => {
      const error = await initError({ "index.mjs": code });
      assert.equal(error.type, type);
      assert.match(error.message, message);
    });
});

describe("the environment of the code", () => {
  test("holds its own variables and those of the platform, nothing of the host", async () => {
    const code = `import { readdirSync } from "node:fs";
      export const handler = async () => ({ env: process.env, argv: process.argv, cwd: process.cwd(), at: new Date(0).toString() });`;
    await using host = new TestHost({ SECRET_OF_HOST: "x", NODE_OPTIONS: "", TZ: "Asia/Tokyo" });
    const env = { MINE: "ü=1", AWS_LAMBDA_FUNCTION_NAME: "forged" };
    await host.load({ "index.mjs": code }, { env });
    await host.first((frame) => frame.type === Type.READY);
    const { body } = await host.invoke({ event: 1 });
    const seen = JSON.parse(body.toString());
    const { PATH, TMPDIR, ...rest } = seen.env;
    assert.ok(PATH && TMPDIR);
    assert.deepEqual(rest, {
      ...{ MINE: "ü=1", TZ: ":UTC", AWS_LAMBDA_FUNCTION_NAME: "hello" },
      ...{ AWS_LAMBDA_FUNCTION_VERSION: "3", AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128" },
      ...{ _HANDLER: "index.handler", LAMBDA_TASK_ROOT: host.taskRoot },
      ...{ ISOLA_FUNCTION_NAME: "hello", ISOLA_FUNCTION_VERSION: "3" },
      ...{ ISOLA_FUNCTION_MEMORY_SIZE: "128", ISOLA_HANDLER: "index.handler" },
      ...{ ISOLA_TASK_ROOT: host.taskRoot, ISOLA_PROJECT: "default", ISOLA_SANDBOX: "sb-7" },
    });
    assert.deepEqual(seen.argv, [process.execPath, `${host.taskRoot}/index.mjs`]);
    assert.equal(seen.cwd, host.taskRoot);
    assert.match(seen.at, /^Thu Jan 01 1970 00:00:00 GMT\+0000/);
  });

  test("is read-only, and does not hand the control stream to child processes", async () => {
    const code = `import { spawnSync } from "node:child_process"; import { readlinkSync, statSync } from "node:fs";
      const mode = (path) => (statSync(path).mode & 0o777).toString(8);
      export const handler = async () => ({
        modes: [mode("index.mjs"), mode("lib"), mode("lib/a.txt"), mode(".")],
        control: readlinkSync("/proc/self/fd/3"),
        inherited: spawnSync("/bin/ls", ["-l", "/proc/self/fd"], { encoding: "utf8" }).stdout,
      });`;
    await using host = await TestHost.ready({ "index.mjs": code, "lib/a.txt": "" });
    const { body } = await host.invoke({ event: 1 });
    const { modes, control, inherited } = JSON.parse(body.toString());
    assert.deepEqual(modes, ["444", "555", "444", "555"]);
    assert.match(control, /^socket:/);
    assert.match(inherited, / 0 -> /);
    assert.ok(!inherited.includes(control), inherited);
  });
});
