import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { type TarEntry, refusal, tarOf } from "../artifacts/archives.fixture.ts";
import { openArtifactStore } from "../artifacts/artifact-store.ts";
import { readPackage } from "../artifacts/read-package.ts";
import { systemClock } from "../domain/clock.ts";
import { type Layer, laterSettings } from "../domain/function.ts";
import { IsolaError } from "../errors.ts";
import type { BuildParams, BuildResult } from "../link/messages.ts";
import { openSqliteStore } from "../store/sqlite/open-sqlite-store.ts";
import { BuildSockets } from "./build-sockets.ts";
import { Builds } from "./builds.ts";
import { LayerBuilds } from "./layer-builds.ts";
import type { BuildGateway, BuildProgress } from "./ports.ts";
import { RegistryRoute } from "./registry-route.ts";

const ok: BuildResult = { outcome: "ok", errorCode: null, message: "", status: 200, said: "" };
const good: TarEntry[] = [{ name: "node_modules/a/index.js", text: "1" }];

/** Runs builds in place of a gateway: writes what a sandbox would have answered. */
class GatewayStandIn implements BuildGateway {
  readonly ran: BuildParams[] = [];
  readonly cancelled: string[] = [];
  entries: TarEntry[] = good;
  result: BuildResult = ok;
  /** Each build waits for this. */
  hold: Promise<unknown> = Promise.resolve();
  #onCancel = new Map<string, () => void>();

  async request(
    kind: "build" | "cancelBuild",
    params: BuildParams | { id: string },
  ): Promise<never> {
    if (kind === "cancelBuild") {
      this.cancelled.push(params.id);
      this.#onCancel.get(params.id)?.();
      return null as never;
    }
    const build = params as BuildParams;
    this.ran.push(build);
    const ended = new Promise<boolean>((resolve) => {
      this.#onCancel.set(build.id, () => resolve(true));
      void this.hold.then(() => resolve(false));
    });
    if (await ended) return { ...ok, outcome: "cancelled", status: 0 } as never;
    writeFileSync(build.outputPath, await tarOf(this.entries));
    return this.result as never;
  }
}

async function open(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), "isola-builds-test-"));
  const tempDir = join(dir, "builds");
  mkdirSync(tempDir);
  const store = await openSqliteStore({ path: join(dir, "isola.db") });
  const artifacts = await openArtifactStore(join(dir, "artifacts"));
  const route = new RegistryRoute({ registries: [], privateRegistries: [], upstream: null });
  const sockets = new BuildSockets(route, dir);
  const gateway = new GatewayStandIn();
  const mirrors = { npmRegistry: null, pipIndexUrl: null };
  const options = {
    artifacts,
    gateway,
    sockets,
    mirrors,
    timeoutMs: 1000,
    memoryMiB: 256,
    tempDir,
  };
  const builds = new Builds({
    store,
    artifacts,
    layers: new LayerBuilds(options),
    clock: systemClock,
    atOnceMax: 2,
  });
  t.after(async () => {
    sockets.close();
    await store.close();
    rmSync(dir, { recursive: true });
  });
  const layerFor = async (
    files: Record<string, string>,
    more: {
      name?: string;
      runtime?: string;
      build?: object;
      progress?: Partial<BuildProgress>;
    } = {},
  ): Promise<Layer | undefined> => {
    const checked = await readPackage({ kind: "files", files });
    const artifact = await artifacts.put(checked);
    await checked.close();
    const settings = {
      runtime: more.runtime ?? "nodejs26",
      driver: "process" as const,
      handler: "index.handler",
      build: { ...laterSettings.build, ...more.build },
    };
    const progress = { onOutput: () => {}, signal: new AbortController().signal, ...more.progress };
    return builds.layerFor(
      { project: "default", name: more.name ?? "f", artifact, settings },
      progress,
    );
  };
  const buildsOf = (functionName: string) =>
    store.listBuilds({ project: "default", functionName, limit: 10 });
  return { ...{ dir, tempDir, store, artifacts, gateway, builds, layerFor, buildsOf } };
}

const npm = {
  "package.json": '{"dependencies":{"a":"1.0.0"}}',
  "package-lock.json": '{"packages":{"node_modules/a":{"version":"1.0.0"}}}',
  "index.mjs": "",
};

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe("what a sandbox answers with", () => {
  test("is taken where it is regular files below the folder of dependencies", async (t) => {
    const { layerFor, artifacts, tempDir, gateway } = await open(t);
    const layer = await layerFor(npm);
    assert.equal(layer?.place, "beside");
    assert.ok(await artifacts.has(layer.artifact.digest));
    assert.ok(!(await artifacts.has(gateway.ran[0]?.code.digest as string)), "the input has gone");
    assert.deepEqual(readdirSync(tempDir), []);
  });

  const hostile: [what: string, entries: TarEntry[], words: RegExp][] = [
    [
      "a symbolic link",
      [{ name: "node_modules/a", type: "symlink", linkname: "/etc" }],
      /symbolic link/,
    ],
    [
      "a hard link",
      [...good, { name: "node_modules/b", type: "link", linkname: "node_modules/a/index.js" }],
      /hard link/,
    ],
    ["a device", [{ name: "node_modules/a", type: "character-device" }], /device/],
    ["a pipe", [{ name: "node_modules/a", type: "fifo" }], /named pipe/],
    ["a path out of it", [{ name: "node_modules/../../x", text: "1" }], /leads out of it/],
    ["an absolute path", [{ name: "/node_modules/x", text: "1" }], /absolute path/],
    [
      "code in place of the package's",
      [...good, { name: "index.mjs", text: "evil" }],
      /not below node_modules/,
    ],
    [
      "a folder of another name",
      [{ name: "node_modules.evil/x", text: "1" }],
      /not below node_modules/,
    ],
    ["a file twice", [...good, ...good], /twice/],
    ["nothing", [], /unknown kind/],
  ];
  for (const [what, entries, words] of hostile)
    test(`is refused where it holds ${what}`, async (t) => {
      const { layerFor, gateway, buildsOf, tempDir, store } = await open(t);
      gateway.entries = entries;
      await assert.rejects(layerFor(npm), refusal("build_failed", words));
      const [kept] = (await buildsOf("f")).items;
      assert.equal(kept?.state, "failed");
      assert.deepEqual(readdirSync(tempDir), []);
      assert.equal((await store.artifactDigests()).size, 0);
    });

  test("is refused where it has more files than are allowed", async (t) => {
    const { layerFor, gateway } = await open(t);
    gateway.entries = Array.from({ length: 20_001 }, (_, at) => ({
      name: `node_modules/f${at}`,
      text: "",
    }));
    await assert.rejects(layerFor(npm), refusal("build_failed", /more than 20000 files/));
  });

  test("says in bounded words why it failed, whatever it says", async (t) => {
    const { layerFor, gateway } = await open(t);
    const said = (text: string) => {
      gateway.result = { ...ok, status: 422, said: text };
    };
    said(
      JSON.stringify({
        message: "m".repeat(10_000),
        output: Array.from({ length: 500 }, () => "line"),
      }),
    );
    await assert.rejects(layerFor(npm), (error: unknown) => {
      assert.ok(error instanceof IsolaError && error.code === "build_failed");
      assert.ok(error.message.length < 2100);
      assert.equal(error.details[0]?.given.split("\n").length, 50);
      return true;
    });
    for (const text of ["", "{", "null", "[]", '{"message":1}', '{"message":{},"output":"x"}']) {
      said(text);
      await assert.rejects(layerFor(npm), refusal("build_failed", /something else than it should/));
    }
  });

  test("names the limit that it broke", async (t) => {
    const { layerFor, gateway } = await open(t);
    gateway.result = { ...ok, outcome: "timeout", status: 0 };
    await assert.rejects(
      layerFor(npm),
      refusal("build_failed", /1000 ms \(setting buildTimeoutMs\)/),
    );
    gateway.result = { ...ok, outcome: "out_of_memory", status: 0 };
    await assert.rejects(layerFor(npm), refusal("build_failed", /256 MiB.*buildMemoryMiB/));
    const late = { outcome: "timeout", errorCode: "init_timeout", message: "not ready in 60 s" };
    gateway.result = { ...ok, ...late, status: 0 };
    await assert.rejects(layerFor(npm), refusal("sandbox_start_failed", /not ready in 60 s/));
    gateway.result = { ...ok, outcome: "platform_error", message: "no room", status: 0 };
    await assert.rejects(layerFor(npm), refusal("sandbox_start_failed", /no room/));
  });
});

describe("a package that may not build from source", () => {
  test("is refused for what files that its requirements include ask for, before any sandbox runs", async (t) => {
    const { layerFor, gateway } = await open(t);
    const files = {
      "a-limits.txt": "six<2",
      "requirements.txt": "-c a-limits.txt\n-r deps/base.in\n",
      "deps/base.in": "six\n-r more.in\n",
      "deps/more.in": "--no-binary :all:\n",
    };
    const given = /^deps\/more\.in should .* got "--no-binary :all:"/;
    await assert.rejects(
      layerFor(files, { runtime: "python3.11" }),
      refusal("invalid_package", given),
    );
    const deep = Array.from({ length: 9 }, (_, at) => [`f${at}.txt`, `-r f${at + 1}.txt`]);
    const nested = { ...files, ...Object.fromEntries(deep), "deps/more.in": "-r ../f0.txt" };
    await assert.rejects(
      layerFor(nested, { runtime: "python3.11" }),
      refusal("invalid_package", /not nested deeper/),
    );
    assert.equal(gateway.ran.length, 0);
  });
});

describe("layers", () => {
  test("are made once for the same manifest, lockfile, runtime and options, whatever the code is", async (t) => {
    const { layerFor, gateway, buildsOf } = await open(t);
    const first = await layerFor(npm);
    assert.deepEqual(await layerFor({ ...npm, "index.mjs": "// other" }, { name: "g" }), first);
    assert.equal(gateway.ran.length, 1);
    assert.equal((await buildsOf("g")).items[0]?.isCached, true);
    const lock = '{"packages":{"node_modules/a":{"version":"1.0.1"}}}';
    await layerFor({ ...npm, "package-lock.json": lock });
    await layerFor({ ...npm, ".npmrc": "omit=optional" });
    await layerFor(npm, { runtime: "nodejs24" });
    await layerFor(npm, { build: { scripts: true } });
    assert.equal(gateway.ran.length, 5);
  });

  test("are made again where the artifact has gone, and kept from the collection of garbage while they are known", async (t) => {
    const { layerFor, gateway, store, artifacts } = await open(t);
    const layer = (await layerFor(npm)) as Layer;
    assert.ok((await store.artifactDigests()).has(layer.artifact.digest));
    await artifacts.collectGarbage(new Set(), Number.NEGATIVE_INFINITY);
    await layerFor(npm);
    assert.equal(gateway.ran.length, 2);
    assert.equal(await store.trimLayers({ before: 0, bytesMax: 1 }), 1);
    assert.equal((await store.artifactDigests()).size, 0);
  });

  test("that two deploys need at once are made once, and both hear the output", async (t) => {
    const { layerFor, gateway, builds } = await open(t);
    const hold = Promise.withResolvers<void>();
    gateway.hold = hold.promise;
    const heard: string[][] = [[], []];
    const [first, second] = heard.map((lines, at) =>
      layerFor(npm, { name: `f${at}`, progress: { onOutput: (more) => lines.push(...more) } }),
    );
    await until(() => gateway.ran.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    builds.onOutput({ id: gateway.ran[0]?.id as string, lines: ["one", "two"] });
    hold.resolve();
    assert.deepEqual(await first, await second);
    assert.equal(gateway.ran.length, 1);
    const all = [`isola: build ${gateway.ran[0]?.id}`, "one", "two"];
    assert.deepEqual(heard, [all, all]);
  });

  test("go on being made while one of two still waits, and are cancelled with the last", async (t) => {
    const { layerFor, gateway, buildsOf } = await open(t);
    gateway.hold = new Promise(() => {});
    const aborts = [new AbortController(), new AbortController()];
    const both = aborts.map(({ signal }, at) =>
      layerFor(npm, { name: `f${at}`, progress: { signal } }),
    );
    await until(() => gateway.ran.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    aborts[0]?.abort();
    await assert.rejects(both[0] as Promise<unknown>, refusal("cancelled", /given up/));
    assert.deepEqual(gateway.cancelled, []);
    aborts[1]?.abort();
    await assert.rejects(both[1] as Promise<unknown>, refusal("cancelled", /given up/));
    await until(() => gateway.cancelled.length === 1);
    assert.equal((await buildsOf("f0")).items[0]?.state, "cancelled");
    gateway.hold = Promise.resolve();
    assert.ok(await layerFor(npm));
  });

  test("beyond two are made in turn, and those that wait can be given up", async (t) => {
    const { layerFor, gateway } = await open(t);
    const hold = Promise.withResolvers<void>();
    gateway.hold = hold.promise;
    const npmrc = (at: number) => ({ ...npm, ".npmrc": `x=${at}` });
    const abort = new AbortController();
    const make = (at: number, progress = {}) => layerFor(npmrc(at), { name: `f${at}`, progress });
    const running = [make(0), make(1)];
    await until(() => gateway.ran.length === 2);
    const third = make(2, { signal: abort.signal });
    const fourth = make(3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(gateway.ran.length, 2);
    abort.abort();
    await assert.rejects(third, refusal("cancelled", /given up/));
    hold.resolve();
    await Promise.all([...running, fourth]);
    assert.equal(gateway.ran.length, 3);
    assert.deepEqual(gateway.cancelled, []);
  });

  test("that are made when the server stops are cancelled, and said to be", async (t) => {
    const { layerFor, gateway, builds } = await open(t);
    gateway.hold = new Promise(() => {});
    const deploying = layerFor(npm);
    await until(() => gateway.ran.length === 1);
    builds.close();
    await assert.rejects(deploying, refusal("shutting_down", /stopping/));
    await assert.rejects(
      layerFor({ ...npm, ".npmrc": "x=1" }),
      refusal("shutting_down", /stopping/),
    );
    assert.equal(gateway.cancelled.length, 1);
  });

  test("that failed are tried again by the next deploy", async (t) => {
    const { layerFor, gateway } = await open(t);
    gateway.result = { ...ok, status: 422, said: '{"message":"no","output":[]}' };
    await assert.rejects(layerFor(npm), refusal("build_failed", /no/));
    gateway.result = ok;
    assert.ok(await layerFor(npm));
  });
});
