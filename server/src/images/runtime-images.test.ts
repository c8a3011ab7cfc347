import assert from "node:assert/strict";
import { type TestContext, describe, test } from "node:test";
import { IsolaError } from "../errors.ts";
import { askEngine, openEngine } from "./engine.ts";
import { type FakeEngine, addImage, say, startFakeEngine } from "./fake-engine.fixture.ts";
import { type ImageRuntime, labels } from "./image-inputs.ts";
import { RuntimeImages, type RuntimeImagesOptions } from "./runtime-images.ts";

const node: ImageRuntime = { name: "nodejs26", family: "nodejs", version: "26.10.0" };

async function opened(t: TestContext, options: Partial<RuntimeImagesOptions> = {}) {
  const fake = await startFakeEngine();
  const images = new RuntimeImages({ engine: await openEngine(fake.host, {}), ...options });
  t.after(async () => {
    images.close();
    await fake.close();
  });
  return { fake, images };
}

async function withBase(t: TestContext, options: Partial<RuntimeImagesOptions> = {}) {
  const all = await opened(t, options);
  addImage(all.fake, "node:26-slim");
  return all;
}

async function refusal(promise: Promise<unknown>): Promise<IsolaError> {
  const error = await promise.then(
    () => assert.fail("it did not fail"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof IsolaError, String(error));
  return error;
}

const builds = ({ calls }: FakeEngine) => calls.filter((call) => call === "POST /build").length;

describe("the image of a runtime", { timeout: 30_000 }, () => {
  test("is built once, and then is there at once, for other lives too", async (t) => {
    const { fake, images } = await withBase(t);
    const lines: string[] = [];
    const first = await images.ensure(node, (line) => lines.push(line));
    assert.equal(first.wasBuilt, true);
    assert.ok(lines.includes("Step 1/1 : FROM base"), lines.join());
    assert.deepEqual(await images.ensure(node), { ...first, wasBuilt: false });
    const another = new RuntimeImages({ engine: await openEngine(fake.host, {}) });
    assert.equal((await another.ensure(node)).id, first.id);
    assert.equal(builds(fake), 1);
  });

  test("is built once for all who ask meanwhile, and each of them is told how it goes", async (t) => {
    const { fake, images } = await withBase(t);
    const succeed = fake.onBuild;
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    fake.onBuild = async (build) => {
      begun.resolve();
      await held.promise;
      await succeed(build);
    };
    const told: string[][] = [[], [], []];
    const asked = told.map((lines) => images.ensure(node, (line) => lines.push(line)));
    await begun.promise;
    asked.push(images.ensure(node));
    // The last one has asked for the image once the engine has been asked for the base and for the image: ten requests.
    while (fake.calls.length < 10) await new Promise((resolve) => setTimeout(resolve, 5));
    held.resolve();
    const ids = (await Promise.all(asked)).map(({ id }) => id);
    assert.equal(new Set(ids).size, 1);
    assert.equal(builds(fake), 1);
    for (const lines of told) assert.ok(lines.includes("Step 1/1 : FROM base"));
  });

  test("that fails tells the engine's last lines, leaves nothing, and is tried again when asked for", async (t) => {
    const { fake, images } = await withBase(t);
    const succeed = fake.onBuild;
    fake.onBuild = ({ query, response }) => {
      const { INPUTS } = JSON.parse(query.get("buildargs") as string) as { INPUTS: string };
      const step = addImage(fake, "step", { [labels.inputs]: INPUTS });
      step.RepoTags = null;
      for (let at = 1; at <= 9; at += 1) say(response, { stream: `line ${at}\n` });
      say(response, { error: "no space left on device" });
      response.end();
    };
    const { code, message } = await refusal(images.ensure(node));
    assert.equal(code, "driver_unavailable");
    assert.match(message, /could not build isola\/node:26\.10\.0-\w{12}: no space left on device/);
    assert.match(message, /line 8\n {2}line 9$/);
    assert.doesNotMatch(message, /line 1\b/);
    assert.deepEqual(
      fake.images.map(({ RepoTags }) => RepoTags),
      [["node:26-slim"]],
    );
    fake.onBuild = succeed;
    assert.equal((await images.ensure(node)).wasBuilt, true);
  });

  test("that breaks off before its image has a name is a failure", async (t) => {
    const { fake, images } = await withBase(t);
    fake.onBuild = ({ response }) => void response.end();
    const { message } = await refusal(images.ensure(node));
    assert.match(message, /ended without an image/);
  });

  test("is built anew when that is asked for, and the old one goes", async (t) => {
    const { fake, images } = await withBase(t);
    const first = await images.ensure(node);
    const second = await images.ensure(node, () => {}, { isFresh: true });
    assert.equal(second.wasBuilt, true);
    assert.notEqual(second.id, first.id);
    assert.ok(!fake.images.some(({ Id }) => Id === first.id));
    assert.ok(fake.calls.includes("POST /images/create"), "the base was fetched anew");
  });

  test("is built of what the operator chose, else the public base, else one made of packages", async (t) => {
    const { fake, images } = await opened(t);
    const baseOf = async (some: RuntimeImages) => (await some.inputsOf(node)).base;
    assert.equal(await baseOf(images), "node:26-slim");
    addImage(fake, "isola/base-node:26.9.0-0123456789ab", { [labels.base]: "nodejs26" });
    assert.equal(await baseOf(images), "node:26-slim");
    const made = "isola/base-node:26.10.0-0123456789ab";
    addImage(fake, made, { [labels.base]: "nodejs26", [labels.repository]: "isola" });
    addImage(fake, "isola/base-node:24.0.0-0123456789ab", { [labels.base]: "nodejs24" });
    assert.equal(await baseOf(images), made);
    addImage(fake, "node:26-slim");
    assert.equal(await baseOf(images), "node:26-slim");
    const bases = { nodejs: "registry.example/node:1", python: null };
    const engine = await openEngine(fake.host, {});
    assert.equal(await baseOf(new RuntimeImages({ engine, bases })), "registry.example/node:1");
  });

  test("whose base cannot be fetched says which, why, and the command that makes one", async (t) => {
    const { fake, images } = await opened(t);
    fake.pullError = "dial tcp: lookup registry-1.docker.io: no such host";
    const { code, message } = await refusal(images.ensure(node));
    assert.equal(code, "driver_unavailable");
    assert.match(message, /the base image node:26-slim could not be fetched/);
    assert.match(message, /`isola images build --offline`/);
    assert.match(message, /no such host/);
    assert.equal(builds(fake), 0);
    fake.pullError = null;
    await images.ensure(node);
    assert.equal(builds(fake), 1);
  });

  test("is given up when it is silent or takes too long, and by close", async (t) => {
    const cases = [
      { deadlines: { totalMs: 20_000, silenceMs: 80 }, expected: /said nothing for 0\.08 s/ },
      {
        deadlines: { totalMs: 300, silenceMs: 20_000 },
        expected: /did not build .* within 0\.3 s/,
      },
    ];
    for (const { deadlines, expected } of cases) {
      const { fake, images } = await withBase(t, { deadlines });
      fake.onBuild = ({ response }) => say(response, { stream: "began\n" });
      const { message } = await refusal(images.ensure(node));
      assert.match(message, expected);
    }
    const { fake, images } = await withBase(t);
    fake.onBuild = ({ response }) => {
      say(response, { stream: "began\n" });
      images.close();
    };
    assert.equal((await refusal(images.ensure(node))).code, "shutting_down");
  });
});

describe("an engine", { timeout: 30_000 }, () => {
  test("that hangs is given up at the deadline of the question, whether the call listens to the signal or not", async (t) => {
    const { fake } = await opened(t);
    fake.isHung = true;
    const engine = await openEngine(fake.host, {});
    const asked = askEngine(
      engine,
      "list images",
      (docker, abortSignal) => docker.listImages({ abortSignal }),
      {
        deadlineMs: 60,
      },
    );
    const { code, message } = await refusal(asked);
    assert.equal(code, "driver_unavailable");
    assert.match(message, /said nothing for 0\.06 s when asked to list images/);
    const deaf = askEngine(engine, "tell of itself", (docker) => docker.info(), { deadlineMs: 60 });
    assert.match((await refusal(deaf)).message, /said nothing for 0\.06 s when asked to tell of/);
  });

  test("that is not there is told with what to do, whatever DOCKER_HOST says", async (t) => {
    const before = process.env.DOCKER_HOST;
    process.env.DOCKER_HOST = "tcp://127.0.0.1:1";
    t.after(() => {
      if (before === undefined) delete process.env.DOCKER_HOST;
      else process.env.DOCKER_HOST = before;
    });
    for (const host of ["unix:///nonexistent/docker.sock", "/nonexistent/docker.sock"]) {
      const images = new RuntimeImages({ engine: await openEngine(host) });
      const { code, message } = await refusal(images.ensure(node));
      assert.equal(code, "driver_unavailable");
      assert.match(message, /no Docker Engine answers at .*nonexistent\/docker\.sock \(ENOENT\)/);
      assert.match(message, /DOCKER_HOST/);
    }
  });

  test("has an address that is understood, or it is refused with what was expected", async () => {
    for (const host of ["", "docker.sock", "ssh://me@there", "unix://relative", "tcp://"]) {
      const error = await refusal(openEngine(host, {}));
      assert.equal(error.code, "driver_unavailable", host);
      assert.match(error.message, /expected unix:\/\/\/path, tcp:\/\/host:port/);
    }
    const { docker } = await openEngine("tcp://engine.example", {});
    const modem = docker.modem as unknown as Record<string, unknown>;
    assert.deepEqual([modem.host, modem.port, modem.protocol], ["engine.example", 2375, "http"]);
    const missing = { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/nonexistent" };
    const error = await refusal(openEngine("tcp://engine.example", missing));
    assert.match(error.message, /ca\.pem, cert\.pem and key\.pem in \/nonexistent/);
  });
});

describe("images of ours", { timeout: 30_000 }, () => {
  const ours = { [labels.repository]: "isola" };
  const built = { ...ours, [labels.runtime]: "nodejs26" };

  test("are listed with their state; those of others are not", async (t) => {
    const { fake, images } = await withBase(t);
    assert.deepEqual(
      (await images.list([node])).map(({ state, id, base }) => [state, id, base]),
      [["missing", null, "node:26-slim"]],
    );
    addImage(fake, "isola/node:26.9.0-0123456789ab", built);
    addImage(fake, "isola/base-node:26.10.0-0123456789ab", { ...ours, [labels.base]: "nodejs26" });
    addImage(fake, "elsewhere/node:1", { ...built, [labels.repository]: "elsewhere" });
    const { reference } = await images.ensure(node);
    assert.deepEqual(
      (await images.list([node])).map((image) => [image.state, image.reference]),
      [
        ["current", reference],
        ["base", "isola/base-node:26.10.0-0123456789ab"],
        ["outdated", "isola/node:26.9.0-0123456789ab"],
      ],
    );
  });

  test("are removed when outdated, with bases that nothing is built of, but for what is in use", async (t) => {
    const { fake, images } = await withBase(t);
    const { reference } = await images.ensure(node);
    const old = ["isola/node:26.8.0-0123456789ab", "isola/node:26.9.0-0123456789ab"] as const;
    for (const name of old) addImage(fake, name, built);
    const nameless = addImage(fake, "soon/gone", built);
    nameless.RepoTags = null;
    addImage(fake, "isola/base-node:26.8.0-0123456789ab", { ...ours, [labels.base]: "nodejs26" });
    fake.inUse.set(old[0], "container 0123 is using it");
    const { removed, kept } = await images.prune([node]);
    assert.deepEqual(kept, [{ reference: old[0], reason: "container 0123 is using it" }]);
    assert.deepEqual(
      removed.toSorted(),
      [old[1], nameless.Id, "isola/base-node:26.8.0-0123456789ab"].toSorted(),
    );
    assert.deepEqual(
      fake.images.flatMap(({ RepoTags }) => RepoTags).toSorted(),
      [reference, old[0], "node:26-slim"].toSorted(),
    );
  });

  test("without a name are left alone while they may be of a build under way", async (t) => {
    const { fake, images } = await opened(t);
    const step = addImage(fake, "step", built);
    Object.assign(step, { RepoTags: null, Created: Math.floor(Date.now() / 1000) - 60 });
    const { removed, kept } = await images.prune([]);
    assert.deepEqual(removed, []);
    assert.deepEqual(kept, [{ reference: step.Id, reason: "it may be of a build under way" }]);
    step.Created -= 3600;
    assert.deepEqual((await images.prune([])).removed, [step.Id]);
  });

  test("keep the base of packages that a missing image would be built of", async (t) => {
    const { fake, images } = await opened(t);
    const base = "isola/base-node:26.10.0-0123456789ab";
    addImage(fake, base, { ...ours, [labels.base]: "nodejs26" });
    assert.deepEqual(await images.prune([node]), { removed: [], kept: [] });
  });
});
