import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { appendFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { type TestContext, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { findRuntimes } from "../drivers/runtimes.ts";
import type { Engine } from "./engine.ts";
import { type ImageRuntime, labels } from "./image-inputs.ts";
import { RuntimeImages } from "./runtime-images.ts";
import { noEngineReason, testEngine } from "./test-engine.fixture.ts";

const skip = await noEngineReason();
const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Images of a repository of their own, made of a copy of the sources; gone with the test. */
async function opened(t: TestContext) {
  const engine = await testEngine();
  const dir = mkdtempSync(join(tmpdir(), "isola-images-"));
  for (const name of ["images", "runtimes", "protocol/src"])
    cpSync(join(root, name), join(dir, name), { recursive: true });
  const repository = `isola-test-${randomUUID().slice(0, 8)}`;
  const [node, python] = (await findRuntimes({ root, python: null })) as ImageRuntime[];
  assert.ok(node !== undefined && python !== undefined, "this machine has both runtimes");
  const standing = new RuntimeImages({ engine });
  const bases = {
    nodejs: (await standing.inputsOf(node)).base,
    python: (await standing.inputsOf(python)).base,
  };
  const open = () => new RuntimeImages({ engine, bases, place: { root: dir, repository } });
  t.after(async () => {
    for (const { Id } of await imagesOf(engine, repository))
      await engine.docker.getImage(Id).remove({ force: true });
    rmSync(dir, { recursive: true });
  });
  return { engine, dir, repository, node, python, open };
}

function imagesOf({ docker }: Engine, repository: string) {
  return docker.listImages({ filters: { label: [`${labels.repository}=${repository}`] } });
}

/** What a program prints in a container of the image that has nothing but what the image has. */
async function run({ docker }: Engine, image: string, command: string[]) {
  let output = "";
  const sink = new Writable({
    write(chunk, _encoding, done) {
      output += String(chunk);
      done();
    },
  });
  const [{ StatusCode }] = (await docker.run(image, command, sink, {
    Labels: { "io.isola.test": "images" },
    Tty: true,
    HostConfig: {
      NetworkMode: "none",
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      AutoRemove: true,
    },
  })) as [{ StatusCode: number }];
  assert.equal(StatusCode, 0, output);
  return JSON.parse(output) as Record<string, unknown>;
}

const lookAround = `
import json, os, pathlib, ssl, sqlite3, sys, zoneinfo
runtime = pathlib.Path("/opt/isola/runtimes/python")
print(json.dumps({
  "user": [os.getuid(), os.getgid()],
  "version": ".".join(map(str, sys.version_info[:3])),
  "task": os.stat("/var/task").st_uid,
  "folder": os.getcwd(),
  "sources": sorted(p.name for p in runtime.glob("isola_runtime/*.py")) == sorted(p.name.split(".")[0] + ".py" for p in runtime.glob("isola_runtime/__pycache__/*.pyc")),
  "compiled": os.path.exists(json.__cached__),
  "authorities": len(ssl.create_default_context().get_ca_certs()) > 50,
  "zone": str(zoneinfo.ZoneInfo("Europe/Berlin")),
  "main": (runtime / "main.py").exists(),
  "tests": (runtime / "tests").exists(),
}))`;

const lookAroundNode = `
import fs from "node:fs";
const frames = await import("/opt/isola/protocol/src/frames.mjs");
console.log(JSON.stringify({
  user: [process.getuid(), process.getgid()], version: process.versions.node,
  task: fs.statSync("/var/task").uid, folder: process.cwd(),
  main: fs.existsSync("/opt/isola/runtimes/node/main.mjs"),
  tests: fs.readdirSync("/opt/isola/runtimes/node").some((name) => name.endsWith(".ts")),
  frames: typeof frames.PROTOCOL_VERSION,
}));`;

describe("in a Docker Engine, images", { timeout: 240_000, skip }, () => {
  test("have the runtime, its interpreter and an unprivileged user", async (t) => {
    const { engine, node, python, open } = await opened(t);
    const images = open();
    const inPython = await images.ensure(python);
    const expected = {
      user: [65_534, 65_534],
      task: 65_534,
      folder: "/tmp",
      main: true,
      tests: false,
    };
    assert.deepEqual(await run(engine, inPython.id, ["python3", "-I", "-c", lookAround]), {
      ...expected,
      ...{ version: python.version, sources: true, compiled: true },
      ...{ authorities: true, zone: "Europe/Berlin" },
    });
    const inNode = await images.ensure(node);
    const command = ["node", "--input-type=module", "-e", lookAroundNode];
    assert.deepEqual(await run(engine, inNode.id, command), {
      ...{ ...expected, version: node.version, frames: "number" },
    });
  });

  test("that fail to build leave nothing in the engine and say the last lines", async (t) => {
    const { engine, dir, repository, python, open } = await opened(t);
    const before = await engine.docker.listImages({ all: true });
    const containers = await engine.docker.listContainers({ all: true });
    appendFileSync(join(dir, "runtimes/python/isola_runtime/boot.py"), "\ndef broken(:\n");
    await assert.rejects(open().ensure(python), ({ code, message }) => {
      assert.equal(code, "driver_unavailable");
      assert.match(message, /could not build isola-test-.*python/);
      assert.match(message, /SyntaxError/);
      return true;
    });
    const idsOf = (list: { Id: string }[]) => list.map(({ Id }) => Id);
    const others = new Set(idsOf(before));
    const after = await engine.docker.listImages({ all: true });
    const ours = after.filter(({ Id, Labels }) => !others.has(Id) && Labels?.[labels.inputs]);
    assert.deepEqual(ours, []);
    assert.deepEqual(await imagesOf(engine, repository), []);
    const left = await engine.docker.listContainers({ all: true });
    assert.deepEqual(
      left.filter(
        ({ Id, Command }) => !idsOf(containers).includes(Id) && /compile_all/.test(Command),
      ),
      [],
    );
  });

  test("are built anew when the runtime changes; the older one goes unless a container is of it", async (t) => {
    const { engine, dir, python, open } = await opened(t);
    const first = await open().ensure(python);
    assert.equal((await open().ensure(python)).wasBuilt, false);
    const container = await engine.docker.createContainer({
      Image: first.id,
      Cmd: ["python3"],
      Labels: { "io.isola.test": "images" },
    });
    t.after(() => container.remove({ force: true }).catch(() => {})); // where the test has not
    appendFileSync(join(dir, "runtimes/python/isola_runtime/boot.py"), "# changed\n");
    const images = open();
    const second = await images.ensure(python);
    assert.notEqual(second.reference, first.reference);
    const states = (await images.list([python])).map(({ state, reference }) => [state, reference]);
    assert.deepEqual(states, [
      ["current", second.reference],
      ["outdated", first.reference],
    ]);
    const inUse = await images.prune([python]);
    assert.deepEqual(inUse.removed, []);
    assert.match(inUse.kept[0]?.reason ?? "", /container/);
    await container.remove();
    assert.deepEqual(await images.prune([python]), { removed: [first.reference], kept: [] });
    assert.deepEqual(
      (await images.list([python])).map(({ state }) => state),
      ["current"],
    );
  });
});
