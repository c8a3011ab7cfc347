import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type TestContext, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { findRuntimes } from "../drivers/runtimes.ts";
import { workDeadlines } from "./engine-stream.ts";
import { type ImageRuntime, labels } from "./image-inputs.ts";
import { ensureOfflineBase, offlineBase } from "./offline-base.ts";
import { RuntimeImages } from "./runtime-images.ts";
import { noEngineReason, testEngine } from "./test-engine.fixture.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const repository = `isola-test-${randomUUID().slice(0, 8)}`;
const place = { root, repository };
const [node, python] = (await findRuntimes({ root, python: null })) as ImageRuntime[];
const base = await offlineBase(place, node as ImageRuntime, process.execPath).catch(() => null);
const skip =
  base === null
    ? "base images are made of packages on Debian only"
    : (process.getuid?.() !== 0 && "needs root: `sudo npm test`") || (await noEngineReason());

async function work(t: TestContext) {
  const engine = await testEngine();
  t.after(async () => {
    const filters = { label: [`${labels.repository}=${repository}`] };
    for (const { Id } of await engine.docker.listImages({ filters }))
      await engine.docker.getImage(Id).remove({ force: true });
  });
  const lines: string[] = [];
  const onProgress = (line: string) => lines.push(line);
  const { signal } = new AbortController();
  return { engine, lines, work: { onProgress, deadlines: workDeadlines, signal } };
}

describe("a base made of packages", { timeout: 240_000, skip }, () => {
  test("is named for its contents", async () => {
    assert.ok(base !== null && node !== undefined && python !== undefined);
    assert.match(base.reference, /^isola-test-\w{8}\/base-node:\d+\.\d+\.\d+-[0-9a-f]{12}$/);
    const same = await offlineBase(place, node, process.execPath);
    assert.equal(same.reference, base.reference);
    const other = await offlineBase(place, node, fileURLToPath(import.meta.url));
    assert.notEqual(other.reference, base.reference);
    assert.ok((await offlineBase(place, python, process.execPath)).packages.includes(python.name));
  });

  test("is made once, taken for the image, and has nothing to run beside the interpreter", async (t) => {
    const { engine, lines, work: given } = await work(t);
    const { reference } = base as NonNullable<typeof base>;
    assert.equal(
      await ensureOfflineBase(engine, base as NonNullable<typeof base>, given),
      reference,
    );
    assert.ok(lines.length > 3, "mmdebstrap said what it did");
    lines.length = 0;
    await ensureOfflineBase(engine, base as NonNullable<typeof base>, given);
    assert.deepEqual(lines, []);
    const images = new RuntimeImages({ engine, place });
    const chosen = (await images.inputsOf(node as ImageRuntime)).base;
    const isPublic = chosen === "node:26-slim"; // where the engine has that, it comes first
    if (!isPublic) assert.equal(chosen, reference);
    const container = await engine.docker.createContainer({
      Image: reference,
      Cmd: ["node"],
      Labels: { "io.isola.test": "base" },
    });
    t.after(() => container.remove({ force: true }));
    const names = await programsIn(await container.export());
    assert.deepEqual(names, ["usr/local/bin/node"]);
  });

  test("is refused with what is missing where mmdebstrap is not installed", async (t) => {
    const { engine, work: given } = await work(t);
    const path = process.env.PATH;
    process.env.PATH = "/nonexistent";
    t.after(() => {
      process.env.PATH = path;
    });
    const asked = ensureOfflineBase(engine, base as NonNullable<typeof base>, {
      ...given,
      isFresh: true,
    });
    await assert.rejects(asked, {
      code: "driver_unavailable",
      message: /apt-get install -y mmdebstrap/,
    });
  });
});

/** Files in folders of programs, of a container's file system as a tar. */
async function programsIn(tar: NodeJS.ReadableStream): Promise<string[]> {
  const { extract } = await import("tar-stream");
  const names: string[] = [];
  for await (const entry of tar.pipe(extract())) {
    const { name, type } = entry.header;
    if (type !== "directory" && /^(usr\/)?(local\/)?s?bin\//.test(name)) names.push(name);
    entry.resume();
  }
  return names;
}
