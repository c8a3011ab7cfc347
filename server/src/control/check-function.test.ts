import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { requestLimits, settingLimits } from "@isola/api/limits";
import * as api from "@isola/api/limits";
import { NAME_PATTERN, driverNames, laterSettings } from "../domain/function.ts";
import { outcomes } from "../domain/invocation.ts";
import { fixedLimits, settingLimits as ownLimits } from "../domain/limits.ts";
import { checkCode, checkCreate, checkPatch } from "./check-function.ts";

const placesOf = (body: unknown) => checkPatch(body).map(({ path }) => path);

describe("the numbers of the API", () => {
  test("are those of the server", () => {
    assert.deepEqual(settingLimits, ownLimits);
    assert.equal(requestLimits.envBytesMax, fixedLimits.envBytesMax);
    assert.equal(requestLimits.labelsMax, fixedLimits.labelsMax);
    assert.equal(requestLimits.schedulesMax, fixedLimits.schedulesMax);
    assert.equal(requestLimits.scheduleEventsBytesMax, fixedLimits.scheduleEventsBytesMax);
    assert.equal(requestLimits.routePathCharsMax, fixedLimits.routePathCharsMax);
    assert.equal(requestLimits.packageBytesMax, fixedLimits.packageBytesMax);
    assert.equal(requestLimits.packageEntriesMax, fixedLimits.packageEntriesMax);
    assert.equal(api.NAME_PATTERN, NAME_PATTERN);
    assert.partialDeepStrictEqual(api.otherDefaults, {
      ...{ afterResponse: laterSettings.afterResponse, onDisconnect: laterSettings.onDisconnect },
      ...{ network: laterSettings.network, build: laterSettings.build },
      schedules: laterSettings.schedules,
    });
    assert.deepEqual(api.driverNames, driverNames);
    assert.deepEqual(api.outcomes, outcomes);
  });
});

describe("settings", () => {
  for (const handler of [
    "index.handler",
    "app.app",
    "src/index.default",
    "pkg.module.handler",
    "a.$b",
  ])
    test(`take the handler ${handler}`, () => assert.deepEqual(placesOf({ handler }), []));

  for (const handler of ["", "index", "/etc/x.y", "../a.b", "a..b", "a/.b", "a.b c", "a.1", ".a"])
    test(`refuse the handler ${JSON.stringify(handler)}`, () =>
      assert.deepEqual(placesOf({ handler }), ["handler"]));

  for (const name of ["A", "_a", "A1_b", "TZ", "NODE_ENV", "PYTHONPATH"])
    test(`take ${name} in env`, () => assert.deepEqual(placesOf({ env: { [name]: "x" } }), []));

  for (const name of [
    ...["1A", "A-B", "A B", "", "A\n", "é", "AWS_LAMBDA_X", "ISOLA_CONTROL"],
    ...["LD_PRELOAD", "LD_LIBRARY_PATH", "LAMBDA_TASK_ROOT", "_HANDLER", "GLIBC_TUNABLES"],
  ])
    test(`refuse ${JSON.stringify(name)} in env`, () =>
      assert.equal(placesOf({ env: { [name]: "x" } }).length, 1));

  test("bound env in bytes, not characters", () => {
    assert.deepEqual(placesOf({ env: { A: "x".repeat(4095) } }), []);
    assert.deepEqual(placesOf({ env: { A: "x".repeat(4096) } }), ["env"]);
    assert.deepEqual(placesOf({ env: { A: "é".repeat(2048) } }), ["env"]);
    assert.deepEqual(placesOf({ env: { A: "a\0b" } }), ["env.A"]);
  });

  test("need minSandboxes within maxSandboxes", () => {
    assert.deepEqual(placesOf({ minSandboxes: 2, maxSandboxes: 2 }), []);
    assert.deepEqual(checkPatch({ minSandboxes: 3, maxSandboxes: 2 }), [
      { path: "minSandboxes", expected: "at most maxSandboxes (2)", given: "3" },
    ]);
  });

  for (const [name, value] of [
    ["tier", "web"],
    ["example.com/tier", ""],
    ["a_b.c-d", "A.b_c-1"],
  ] as const)
    test(`take the label ${name}=${value}`, () =>
      assert.deepEqual(placesOf({ labels: { [name]: value } }), []));

  for (const [name, value] of [
    ["-tier", "web"],
    ["a/b/c", "x"],
    ["/a", "x"],
    ["a/", "x"],
    ["Ä", "x"],
    ["a", "-x"],
    ["a", "x".repeat(64)],
    ["a".repeat(64), "x"],
    ["a", "x y"],
  ] as const)
    test(`refuse the label ${name.slice(0, 10)}=${value.slice(0, 10)}`, () =>
      assert.equal(placesOf({ labels: { [name]: value } }).length, 1));

  test("leave what has the wrong type to the schema", () => {
    const body = { handler: 1, route: "x", env: 5, labels: [], minSandboxes: "1", code: 7 };
    assert.deepEqual(checkCreate(body), []);
    assert.deepEqual(checkCreate(null), []);
  });
});

describe("code", () => {
  test("is files or a zip, not both and not neither", () => {
    assert.deepEqual(checkCode({ files: { "index.mjs": "" } }, "code"), []);
    assert.deepEqual(checkCode({ zip: "UEsFBg==" }, "code"), []);
    assert.equal(checkCode({}, "code")[0]?.given, "neither");
    assert.equal(checkCode({ zip: "", files: {} }, "")[0]?.path, "body");
    assert.equal(checkCode({ zip: "?" }, "code")[0]?.path, "code.zip");
    assert.equal(checkCode({ zip: "QQ=" }, "code")[0]?.expected, "base64");
    assert.equal(checkCode({ files: {} }, "code")[0]?.path, "code.files");
  });
});
