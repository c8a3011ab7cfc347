import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { DevRun } from "../../test/dev-run.ts";
import { runIsola } from "../../test/run-isola.ts";

const dir = mkdtempSync(join(tmpdir(), "isola-dev-"));
const definitions = `functions:
  js: { runtime: nodejs, code: ./js }
  py: { runtime: python, code: ./py }
`;
/** Where an engine answers all the same, none does for this server. */
const noDocker = { DOCKER_HOST: "", ISOLA_DOCKER_HOST: "unix:///nowhere.sock" };
let dev: DevRun;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}

const js = (says: string) => `export const handler = async () => "${says}";\n`;

async function call(name: string): Promise<string> {
  const { url } = await dev.until("deployed", (event) => event.function === name);
  return (await fetch(url)).text();
}

/** Of this machine, that work in the folder or whose command line names it: number and command line. */
function processesOfFolder(): string[] {
  const lines = readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .map((pid) => `${pid} ${readOr(() => readFileSync(`/proc/${pid}/cmdline`, "utf8"))}`)
    .map((line) => line.replaceAll("\0", " "));
  const cwd = (line: string) => readOr(() => readlinkSync(`/proc/${line.split(" ")[0]}/cwd`));
  return lines.filter((line) => line.includes(dir) || cwd(line).startsWith(dir));
}

function readOr(read: () => string): string {
  try {
    return read();
  } catch {
    return ""; // it has just ended
  }
}

async function untilNothingRuns(): Promise<void> {
  for (const end = performance.now() + 20_000; processesOfFolder().length > 0; await delay(20))
    assert.ok(performance.now() < end, processesOfFolder().join("\n"));
}

before(async () => {
  write("isola.yaml", definitions);
  write("js/index.mjs", js("one"));
  write("py/app.py", 'def handler(event, context):\n    return "snake"\n');
  dev = new DevRun([".", "--own-server"], { cwd: dir, env: noDocker });
  for (const name of ["js", "py"]) await dev.until("ready", (event) => event.function === name);
});

after(async () => {
  await dev.end();
  await untilNothingRuns();
  rmSync(dir, { recursive: true });
});

describe("isola dev", () => {
  test("deploys what is saved and has it load at once, and leaves the other function's sandbox alone", async () => {
    const from = dev.events.length;
    const py = await dev.until("ready", (event) => event.function === "py");
    assert.equal(await call("js"), "one");
    // As many editors write: a new file that takes the place of the old one.
    write("js/.index.mjs.swp", "x");
    write("js/index.mjs~", js("two"));
    renameSync(join(dir, "js/index.mjs~"), join(dir, "js/index.mjs"));
    const ready = await dev.until("ready", ({ revision }) => revision === 2, from);
    assert.equal(ready.function, "js");
    assert.equal(await call("js"), "two");
    assert.equal(await call("py"), "snake");
    const js2 = await dev.until("call", (event) => event.function === "js" && event.revision === 2);
    assert.deepEqual([js2.startKind, js2.sandboxId], ["warm", ready.sandboxId]);
    assert.deepEqual([js2.status, js2.method, js2.path], [200, "GET", "/js"]);
    const snake = await dev.until("call", (event) => event.function === "py");
    assert.deepEqual([snake.startKind, snake.sandboxId], ["warm", py.sandboxId]);
    const deployed = dev.events.slice(from).filter((event) => event.event === "deployed");
    assert.deepEqual(
      deployed.map((event) => [event.function, event.revision]),
      [["js", 2]],
    );
  });

  test("tells what does not parse with its place right after the save, and goes on when it is mended", async () => {
    const from = dev.events.length;
    write("js/index.mjs", "const a = 1;\nexport const handler = (;\n");
    write("py/app.py", "def handler(event, context):\n    return inner(\n");
    const wrong = await dev.until("error", (event) => event.function === "js", from);
    assert.deepEqual(wrong.at, { file: "js/index.mjs", line: 2, column: 25 });
    assert.equal(wrong.phase, "init");
    const snake = await dev.until("error", (event) => event.function === "py", from);
    assert.deepEqual(snake.at, { file: "py/app.py", line: 2, column: null });
    write("js/index.mjs", js("three"));
    write("py/app.py", 'def handler(event, context):\n    print("hi")\n    return event["x"]\n');
    for (const name of ["js", "py"])
      await dev.until("ready", (event) => event.function === name, from);
    assert.equal(await call("js"), "three");
  });

  test("shows what functions write, and stacks with places in the folder", async () => {
    const from = dev.events.length;
    await call("py");
    const said = await dev.until("log", ({ text }) => text === "hi", from);
    assert.equal(said.function, "py");
    await dev.until("log", ({ text }) => text === "  py/app.py:3, in handler", from);
    const failed = await dev.until("call", (event) => event.function === "py", from);
    assert.deepEqual([failed.status, failed.errorCode], [500, "function_error"]);
    assert.equal(said.invocationId, failed.id);
  });

  test("keeps the last good isola.yaml, and takes functions up and away with it", async () => {
    const from = dev.events.length;
    write("isola.yaml", "functions: [");
    const wrong = await dev.until("error", undefined, from);
    assert.deepEqual([wrong.phase, wrong.function], ["definition", null]);
    write("js/index.mjs", js("four"));
    await dev.until("ready", (event) => event.function === "js", from);
    rmSync(join(dir, "isola.yaml"));
    await dev.until("error", ({ message }) => /isola\.yaml has gone/.test(message), from);
    write("more/index.mjs", "export const handler = async () => process.env.A;\n");
    write("more.env", "A=one\n");
    const more = (settings: string) =>
      write("isola.yaml", `${definitions}  more: { code: ./more, ${settings} }\n`);
    more("envFile: more.env");
    await dev.until("ready", (event) => event.function === "more", from);
    assert.equal(await call("more"), "one");
    write("more.env", "A=two\n");
    await dev.until("ready", ({ function: name, revision }) => name === "more" && revision === 2);
    assert.equal(await call("more"), "two");
    more("memoryMiB: 1");
    const line = /functions\.more\.memoryMiB: expected/;
    await dev.until("error", ({ message }) => line.test(message), from);
    more("driver: docker");
    const refused = await dev.until("error", (event) => event.function === "more", from);
    assert.deepEqual([refused.phase, refused.code], ["deploy", "driver_unavailable"]);
    write("isola.yaml", definitions);
    await dev.until("removed", (event) => event.function === "more", from);
    assert.match(await call("more"), /route_not_found/);
  });

  test("waits for a server that has gone, and goes on with what was saved meanwhile", async () => {
    const from = dev.events.length;
    const control = processesOfFolder().find((line) => / control *$/.test(line));
    process.kill(Number(control?.split(" ")[0]), "SIGKILL");
    await dev.until("note", ({ text }) => text.startsWith("the server does not answer"), from);
    write("js/index.mjs", js("five"));
    await dev.until("note", ({ text }) => text === "the server answers again", from);
    await dev.until("ready", (event) => event.function === "js", from);
    assert.equal(await call("js"), "five");
  });

  test("uses a server that runs, and with --rm takes back what it has brought", async () => {
    write("other/index.mjs", js("other"));
    const { url } = await dev.until("server");
    const key = readFileSync(join(dir, ".isola/data/admin-key"), "utf8").trim();
    const env = { ISOLA_URL: url, ISOLA_API_KEY: key };
    const other = new DevRun(["other", "--rm"], { cwd: dir, env });
    const { isOwn } = await other.until("server");
    assert.equal(isOwn, false);
    await other.until("ready");
    const exists = async () => (await runIsola(["get", "other"], { env, cwd: dir })).exitCode;
    assert.equal(await exists(), 0);
    assert.equal(await other.end(), 130);
    assert.equal(await exists(), 1);
    // The same folder again: the server that runs there is found.
    const second = new DevRun(["."], { cwd: dir });
    assert.deepEqual(await second.until("server"), { event: "server", url, isOwn: false });
    assert.equal(await second.end(), 130);
    assert.equal((await runIsola(["get", "js"], { env, cwd: dir })).exitCode, 0);
  });

  test("refuses a server on another machine, and one that is named and does not answer", async () => {
    const env = { ISOLA_API_KEY: "isola_x" };
    const far = { ...env, ISOLA_URL: "http://192.0.2.1:8081" };
    const refused = await runIsola(["dev", "js"], { env: far, cwd: dir });
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /on another machine.*--remote/s);
    const nobody = { ...env, ISOLA_URL: "http://127.0.0.1:9" };
    assert.equal((await runIsola(["dev", "js"], { env: nobody, cwd: dir })).exitCode, 3);
  });

  test("ends its server with itself at Ctrl-C, and also where it is killed", async () => {
    assert.equal(await dev.end("SIGINT"), 130);
    await untilNothingRuns();
    assert.equal(existsSync(join(dir, ".isola/data/api-url")), false);
    // Two that begin at the same time share the server of one.
    const both = [1, 2].map(() => new DevRun([".", "--own-server"], { cwd: dir }));
    const servers = await Promise.all(both.map((run) => run.until("server")));
    assert.deepEqual(servers.map(({ isOwn }) => isOwn).sort(), [false, true]);
    const own = servers.findIndex(({ isOwn }) => isOwn);
    assert.equal(await both[1 - own]?.end(), 130);
    dev = both[own] as DevRun;
    const kept = await dev.until("deployed", (event) => event.function === "js");
    assert.equal(kept.action, "unchanged");
    await dev.end("SIGKILL");
    await untilNothingRuns();
  });
});

test("isola dev --inspect opens a port for debuggers that stays over a save", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "isola-dev-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "index.mjs"), js("one"));
  const run = new DevRun([".", "--own-server", "--inspect", "--name", "inspected"], {
    cwd: folder,
    env: noDocker,
  });
  t.after(() => run.end());
  const { port } = await run.until("debugger", (event) => event.port !== null);
  const inspector = async () => (await fetch(`http://127.0.0.1:${port}/json/version`)).text();
  assert.match(await inspector(), /"Browser": "node\.js\//);
  const from = run.events.length;
  writeFileSync(join(folder, "index.mjs"), js("two"));
  await run.until("debugger", ({ text }) => text.startsWith("Revision 2 runs"), from);
  assert.match(await inspector(), /"Browser": "node\.js\//);
  const { url } = await run.until("deployed");
  assert.equal(await (await fetch(url)).text(), "two");
});
