import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { workplace } from "../../test/run-isola.ts";

const nightly = {
  ...{ name: "nightly", cron: "0 3 * * *", timeZone: "Europe/Berlin", enabled: true },
  ...{ description: "At 03:00", nextRunAt: "2026-02-01T02:00:00.000Z", lastRun: null },
};
const lastRun = {
  dueAt: "2026-01-31T02:00:00.000Z",
  startedAt: "2026-01-31T02:00:00.010Z",
  invocationId: "inv-1",
};
const path = "/api/v1/functions/report/schedules";

describe("isola schedules", () => {
  test("list shows when each runs next and how it went last, as text or as the API has it", async (t) => {
    const { api, isola } = await workplace(t);
    const items = [
      { ...nightly, lastRun: { ...lastRun, outcome: "timeout" } },
      { ...nightly, name: "busy\u001b", lastRun: { ...lastRun, outcome: null } },
      { ...nightly, name: "off", enabled: false, nextRunAt: null },
    ];
    api.answers[`GET ${path}`] = { items };
    const { stdout } = await isola("schedules", "list", "report", "--project", "team-a");
    assert.deepEqual(api.projectsAsked, ["team-a"]);
    assert.match(stdout, /^NAME +WHEN +CRON +TIME ZONE +NEXT +LAST +OUTCOME$/m);
    const times = "0 3 \\* \\* \\* +Europe/Berlin +2026-02-01T02:00:00.000Z";
    const last = "2026-01-31T02:00:00.010Z";
    assert.match(stdout, new RegExp(`^nightly +At 03:00 +${times} +${last} +timeout$`, "m"));
    assert.match(stdout, new RegExp(`^busy\\\\x1b .* +${last} +running$`, "m"));
    assert.match(stdout, /^off .* +disabled +never *$/m);
    const json = await isola("schedules", "report", "--json");
    assert.deepEqual(JSON.parse(json.stdout), { items });
  });

  test("list says where schedules stand where there are none", async (t) => {
    const { api, isola } = await workplace(t);
    api.answers[`GET ${path}`] = { items: [] };
    assert.match((await isola("schedules", "list", "report")).stdout, /as `schedules`/);
  });

  test("run shows what came of it, as invoke does; without a schedule it asks no server", async (t) => {
    const { api, isola } = await workplace(t);
    const phases = { queueMs: 0.1, startMs: null, initMs: null, runMs: 2 };
    const invoked = {
      ...{ id: "inv-2", status: 200, outcome: "ok", startKind: "warm", revision: 3, phases },
      ...{ logs: [], error: null, body: '"done"', bodyBase64: null, headers: [] },
    };
    api.answers[`POST ${path}/nightly/run`] = invoked;
    const { stdout, stderr, exitCode } = await isola("schedules", "run", "report", "nightly");
    assert.deepEqual([stdout, exitCode], ['"done"\n', 0]);
    assert.match(stderr, /^200 ok, warm, revision 3, inv-2$/m);
    const json = await isola("schedules", "run", "report", "nightly", "--json");
    assert.deepEqual(JSON.parse(json.stdout), invoked);
    const error = { code: "function_error", message: "no" };
    const failed = { ...invoked, status: 502, outcome: "function_error", body: null, error };
    api.answers[`POST ${path}/nightly/run`] = failed;
    const again = await isola("schedules", "run", "report", "nightly");
    assert.deepEqual([again.stdout, again.exitCode], ["function_error: no\n", 1]);
    assert.equal((await isola("schedules", "run", "report", "other")).exitCode, 1);
    const asked = api.projectsAsked.length;
    assert.equal((await isola("schedules", "run", "report")).exitCode, 2);
    assert.equal(api.projectsAsked.length, asked);
  });

  test("run names the schedules that are near, or what lists them, and no functions", async (t) => {
    const { api, isola } = await workplace(t);
    const names = ["nightly", ...Array.from({ length: 19 }, (_, at) => `hourly-${at}`)];
    api.answers[`GET ${path}`] = { items: names.map((name) => ({ ...nightly, name })) };
    api.answers["GET /api/v1/functions"] = {
      items: ["report", "nightlies", "reports"].map((name) => ({ name })),
    };
    const refusal = async (name: string) => {
      const has = `the function report has the schedules ${names.join(", ")}`;
      api.missing[`POST ${path}/${name}/run`] = `there is no schedule ${name}: ${has}`;
      return isola("schedules", "run", "report", name);
    };
    const near = await refusal("nightli");
    assert.equal(near.exitCode, 1);
    assert.match(
      near.stderr,
      /no schedule nightli of the function report; did you mean nightly\?$/m,
    );
    // The name of the schedule is a part of that of the function.
    for (const name of ["zzz", "report"]) {
      const { stderr } = await refusal(name);
      assert.match(stderr, /report; `isola schedules list report` lists those that there are$/m);
    }
    api.answers[`GET ${path}`] = { items: [] };
    api.missing[`POST ${path}/a/run`] =
      "there is no schedule a: the function report has no schedules";
    const none = await isola("schedules", "run", "report", "a");
    assert.match(none.stderr, /the function report has no schedules$/m);
  });

  test("run names functions that are near where the function is missing", async (t) => {
    const { api, isola } = await workplace(t);
    api.answers["GET /api/v1/functions"] = { items: [{ name: "report" }, { name: "mail" }] };
    const missing = 'function "reprot" does not exist in project "default"';
    const asked = "/api/v1/functions/reprot/schedules";
    api.missing[`POST ${asked}/nightly/run`] = missing;
    api.missing[`GET ${asked}`] = missing;
    const { stderr } = await isola("schedules", "run", "reprot", "nightly");
    assert.match(stderr, /"default"; did you mean report\?$/m);
  });
});
