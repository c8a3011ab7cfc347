import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { ensureDocker } from "./docker.mjs";
import { engineFootprint } from "./leaks.mjs";
import {
  BY_HAND,
  answers,
  lifeOf,
  ownEngine,
  remainsOf,
  startEngine,
  stopEngine,
  takeEngine,
} from "./own-engine.mjs";
import { findCommand } from "./processes.mjs";

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "isola-docker-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Answers each path with its JSON; a path that is not there, never. */
async function fakeEngine(t: TestContext, json: Record<string, unknown>): Promise<string> {
  const path = join(folder(t), "docker.sock");
  const server = createServer((request, response) => {
    const answer = json[request.url ?? ""];
    if (answer !== undefined) response.end(JSON.stringify(answer));
  });
  server.listen(path);
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `unix://${path}`;
}

/** As `ownEngine`, with nothing of it on this machine. */
function engineIn(dir: string) {
  const runDir = join(dir, "run");
  mkdirSync(runDir);
  return { ...ownEngine(dir), runDir, host: `unix://${runDir}/docker.sock` };
}

describe("the Docker Engine of the tests", { timeout: 60_000 }, () => {
  test("is one that answers, and not one that hangs, is away or has no such address", async (t) => {
    assert.equal(await answers(await fakeEngine(t, { "/_ping": "OK" })), true);
    for (const host of ["unix:///nonexistent.sock", "tcp://127.0.0.1:1", "nonsense", ""])
      assert.equal(await answers(host), false, host);
    assert.equal(await answers(await fakeEngine(t, {}), 100), false);
  });

  test("belongs to one run while that lives, and to nobody when it was started by hand", (t) => {
    const engine = engineIn(folder(t));
    const owner = (text: string) => writeFileSync(join(engine.runDir, "owner"), text);
    assert.equal(takeEngine(engine), true);
    assert.equal(takeEngine(engine), true, "it is ours already");
    owner(lifeOf(process.ppid));
    assert.equal(takeEngine(engine), false, "another run has it");
    owner(`${process.ppid} 1`);
    assert.equal(takeEngine(engine), true, "another process has the id of the run that had it");
    owner("999999999 1");
    assert.equal(takeEngine(engine), true, "the run that had it was killed");
    assert.equal(takeEngine(engine, BY_HAND), true);
    assert.equal(takeEngine(engine), false, "it goes on");
  });

  test("is told of where DOCKER_HOST leads to none, and the tests go on without", async (t) => {
    const before = process.env.DOCKER_HOST;
    t.after(() => {
      if (before === undefined) delete process.env.DOCKER_HOST;
      else process.env.DOCKER_HOST = before;
    });
    process.env.DOCKER_HOST = "unix:///nonexistent.sock";
    const said: string[] = [];
    assert.equal(await ensureDocker(process.execPath, (line: string) => said.push(line)), null);
    assert.match(said.join(), /No Docker Engine answers at DOCKER_HOST=unix:\/\/\/nonexistent/);
  });

  test("is seen while a process of it is left, and ended by that process's mark", async (t) => {
    const engine = engineIn(folder(t));
    assert.deepEqual(remainsOf(engine), []);
    const env = { ...process.env, ISOLA_ENGINE: engine.runDir };
    const child = spawn("sleep", ["600"], { env });
    await once(child, "spawn");
    assert.deepEqual(remainsOf(engine), [`process ${child.pid} (sleep)`]);
    const exit = once(child, "exit");
    await stopEngine(engine);
    await exit;
    assert.deepEqual(remainsOf(engine), []);
    assert.equal(existsSync(engine.runDir), false);
  });

  test("has what tests left in it told: what has a label of ours, and nothing else", async (t) => {
    const ours = { "io.isola.node": "n" };
    const host = await fakeEngine(t, {
      "/containers/json?all=1": [
        { Id: "0123456789abcdef", Names: ["/sb-1"], Labels: ours },
        { Id: "fedcba9876543210", Names: ["/db"], Labels: { app: "db" } },
      ],
      "/networks": [
        { Name: "sandboxes", Labels: ours },
        { Name: "bridge", Labels: null },
      ],
      "/volumes": { Volumes: [{ Name: "v", Labels: ours }] },
      "/images/json": [
        { Id: "sha256:1", RepoTags: ["isola/node:1"], Labels: ours },
        { Id: "sha256:2", RepoTags: null, Labels: ours },
        { Id: "sha256:3", RepoTags: ["debian:12"], Labels: null },
      ],
    });
    assert.deepEqual(
      [...(await engineFootprint(host))],
      [
        "container 0123456789ab (/sb-1)",
        "network sandboxes",
        "volume v",
        "image isola/node:1",
        "image sha256:2",
      ],
    );
  });

  const missing = ["dockerd", "slirp4netns", "unshare"].filter((name) => !findCommand(name));
  const isRoot = process.getuid?.() === 0;
  const reason = missing.length > 0 ? `no ${missing.join(", ")} here` : !isRoot && "needs root";
  const skip = reason && `${reason}: \`npm test\` as root on Debian installs what is missing`;

  test("starts beside others, changes no network of the host, and leaves nothing", {
    skip,
  }, async (t) => {
    const engine = ownEngine(folder(t));
    const interfaces = readdirSync("/sys/class/net").sort();
    t.after(() => stopEngine(engine));
    await startEngine(engine);
    assert.equal(await answers(engine.host), true);
    assert.deepEqual(readdirSync("/sys/class/net").sort(), interfaces);
    assert.ok(remainsOf(engine).some((line) => line.endsWith("(dockerd)")));
    await stopEngine(engine);
    assert.deepEqual(remainsOf(engine), []);
    assert.equal(existsSync(engine.runDir), false);
    assert.equal(await answers(engine.host), false);
  });
});
