import assert from "node:assert/strict";
import { type TestContext, describe, test } from "node:test";
import { ImageEvent } from "@isola/api/images";
import Value from "typebox/value";
import { systemClock } from "../domain/clock.ts";
import { type FakeEngine, addImage, say, startFakeEngine } from "../images/fake-engine.fixture.ts";
import { openControlPlane } from "./control-plane.fixture.ts";

const path = "/api/v1/images";

async function withEngine(t: TestContext) {
  const engine = await startFakeEngine();
  for (const base of ["node:26-slim", "node:24-slim", "python:3.11-slim", "python:3.9-slim"])
    addImage(engine, base);
  const plane = await openControlPlane(t, systemClock, (store) => store, {
    dockerHost: engine.host,
  });
  t.after(() => engine.close());
  const build = async (body: object) => {
    const { statusCode, headers, body: text } = await plane.call("POST", path, { body });
    assert.equal(statusCode, 200, text);
    assert.equal(headers["content-type"], "application/x-ndjson");
    return eventsIn(text);
  };
  return { ...plane, engine, build };
}

function eventsIn(text: string): ImageEvent[] {
  const events = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as ImageEvent);
  for (const event of events) assert.deepEqual(Value.Errors(ImageEvent, event), []);
  return events;
}

const builds = ({ calls }: FakeEngine) => calls.filter((call) => call === "POST /build").length;

describe("the images of the API", { timeout: 30_000 }, () => {
  test("are missing, then built with progress, then there", async (t) => {
    const { call, build } = await withEngine(t);
    const before = (await call("GET", path)).json();
    assert.deepEqual(
      before.items.map((item: { runtime: string; state: string }) => [item.runtime, item.state]),
      ["nodejs24", "nodejs26", "python3.9", "python3.11"].map((name) => [name, "missing"]),
    );
    const events = await build({ runtime: "nodejs" });
    assert.deepEqual(events.at(-1), { type: "done" });
    const texts = events.flatMap((event) => (event.type === "progress" ? [event.text] : []));
    assert.ok(texts.includes("Step 1/1 : FROM base"), texts.join());
    const image = events.find((event) => event.type === "image");
    assert.equal(image?.runtime, "nodejs26");
    assert.equal(image?.wasBuilt, true);
    const [again] = await build({ runtime: "nodejs26" });
    assert.deepEqual(again, { ...image, wasBuilt: false });
    const after = (await call("GET", path)).json();
    const current = after.items.find((item: { state: string }) => item.state === "current");
    assert.equal(current.reference, image?.reference);
    assert.equal(current.base, "node:26-slim");
  });

  test("are those of every runtime where none is named", async (t) => {
    const { engine, build } = await withEngine(t);
    const events = await build({});
    const runtimes = events.flatMap((event) => (event.type === "image" ? [event.runtime] : []));
    assert.deepEqual(runtimes, ["nodejs24", "nodejs26", "python3.9", "python3.11"]);
    assert.equal(builds(engine), 4);
  });

  test("that fail to build end with the error, and are not said to be done", async (t) => {
    const { engine, build } = await withEngine(t);
    engine.onBuild = ({ response }) => {
      say(response, { error: "no space left on device" });
      response.end();
    };
    const last = (await build({ runtime: "python" })).at(-1);
    assert.equal(last?.type, "error");
    assert.equal(last?.type === "error" && last.error.code, "driver_unavailable");
    assert.match(JSON.stringify(last), /no space left on device/);
  });

  test("need an engine: without one every call says so and where it looked", async (t) => {
    const plane = await openControlPlane(t);
    for (const method of ["GET", "POST", "DELETE"]) {
      const body = method === "POST" ? {} : undefined;
      const answer = await plane.call(method, path, { body });
      assert.equal(answer.statusCode, 409, answer.body);
      assert.equal(answer.json().error.code, "driver_unavailable");
      assert.match(answer.json().error.message, /nonexistent\/docker\.sock/);
    }
  });

  test("of a runtime that is not installed are refused, naming what is", async (t) => {
    const { call, engine } = await withEngine(t);
    const answer = await call("POST", path, { body: { runtime: "cobol" } });
    assert.equal(answer.statusCode, 400);
    const [detail] = answer.json().error.details;
    assert.equal(detail.path, "runtime");
    assert.match(detail.expected, /nodejs26/);
    assert.equal(builds(engine), 0);
  });

  test("that are outdated are removed", async (t) => {
    const { call, engine } = await withEngine(t);
    addImage(engine, "isola/node:20.0.0-0123456789ab", {
      "io.isola.repository": "isola",
      "io.isola.runtime": "nodejs20",
    });
    const answer = (await call("DELETE", path)).json();
    assert.deepEqual(answer, { removed: ["isola/node:20.0.0-0123456789ab"], kept: [] });
  });

  test("under way are given up when the control plane closes", async (t) => {
    const { app, engine, keyFor } = await withEngine(t);
    const begun = Promise.withResolvers<void>();
    engine.onBuild = ({ response }) => {
      say(response, { stream: "began\n" });
      begun.resolve();
    };
    const headers = { authorization: await keyFor("admin") };
    const payload = { runtime: "nodejs26" };
    const answer = app.inject({ method: "POST", url: path, headers, payload });
    await begun.promise;
    await app.close();
    const last = eventsIn((await answer).body).at(-1);
    assert.equal(last?.type === "error" && last.error.code, "shutting_down");
  });
});
