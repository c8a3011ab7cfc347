import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Outcome } from "../../server/src/domain/invocation.ts";
import { openSqliteStore } from "../../server/src/store/sqlite/open-sqlite-store.ts";
import {
  type Stand,
  assertAccessible,
  assertFits,
  openPage,
  openStand,
  skip,
  takePicture,
} from "./browser.ts";

const code = {
  "index.mjs":
    "export const handler = (event) => {\n  if (event.fail) throw new Error('as the event wants it');\n  if (event.bare) throw Object.assign(new Error('bare'), { stack: '' });\n  return event;\n};\n",
};

describe("schedules in the console", { skip }, () => {
  let stand: Stand;
  before(async () => {
    stand = await openStand({ ISOLA_BLANK_PYTHON: "0" });
  });
  after(() => stand.close());

  const schedulesOf = async (name: string) =>
    (await stand.server.api("GET", `/api/v1/functions/${name}`)).json.schedules;

  /** A run of a schedule whose time has come: nobody waits for that here. */
  async function setLastRun(name: string, schedule: string, outcome: Outcome): Promise<void> {
    const { server } = stand;
    const body = { event: { fail: outcome === "function_error" } };
    const { id } = (await server.api("POST", `/api/v1/functions/${name}/invocations`, body)).json;
    await server.stop();
    const store = await openSqliteStore({ path: join(server.dataDir, "isola.db") });
    const { id: functionId } = await store.getFunction("default", name);
    const at = Date.now() - 7_300_000;
    const run = { functionId, schedule, dueAt: at, startedAt: at, invocationId: id };
    assert.equal((await store.beginScheduleRuns([run], Number.MAX_SAFE_INTEGER)).length, 1);
    await store.noteSchedules({ ended: [{ ...run, outcome }], passed: [] });
    await store.close();
    await server.start();
  }

  test("are told with their next and last run, which leads to its invocation, and run at once", async (t) => {
    const { server } = stand;
    await server.deploy("empty", code);
    const nightly = { name: "nightly", cron: "0 3 * * *", timeZone: "Europe/Berlin" };
    const off = { name: "off", cron: "@hourly", enabled: false, event: { fail: true } };
    await server.deploy("jobs", code, { schedules: [nightly, off] });
    await setLastRun("jobs", "nightly", "function_error");
    const page = await openPage(t, stand);
    await page.goto("/functions/empty");
    await page.getByRole("tab", { name: "Schedules" }).click();
    await page.getByRole("tabpanel").getByRole("link", { name: "settings" }).click();
    await page.getByRole("button", { name: "Add a schedule" }).waitFor();
    await page.goto("/functions/jobs/schedules");
    const row = (name: string) => page.getByRole("row").filter({ hasText: name });
    await row("nightly").getByText("At 03:00").waitFor();
    await row("nightly").getByText(/^in /).waitFor();
    await row("off").getByText("disabled", { exact: true }).waitFor();
    await row("off").getByText("never", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Run now: nightly" }).click();
    const ran = (name: string) => page.getByRole("region", { name: `The run of ${name}` });
    await ran("nightly").getByText("Scheduled Event").waitFor();
    await page.getByRole("button", { name: "Run now: off" }).click();
    await ran("off").getByRole("alert").getByText("as the event wants it").first().waitFor();
    await assertAccessible(page, "schedules");
    await takePicture(page, "function-schedules-light");
    await assertFits(page, 390);
    await assertAccessible(page, "schedules on a telephone");
    const table = page.getByRole("region", { name: "Schedules" });
    const wide = await table.evaluate(
      (it: Record<"scrollWidth" | "clientWidth", number>) => it.scrollWidth - it.clientWidth,
    );
    assert.equal(wide, 0, "nothing is scrolled sideways");
    await takePicture(page, "function-schedules-light-390");
    await row("nightly").getByText("function error").waitFor();
    await row("nightly").getByRole("link", { name: "2 h ago" }).click();
    await page.getByRole("dialog").getByText("as the event wants it").first().waitFor();
  });

  test("are run at once with the result in sight, and not where the function has gone", async (t) => {
    const { server } = stand;
    const schedules = Array.from({ length: 20 }, (_, at) => ({
      ...{ name: `at-${at}`, cron: "@daily", event: at === 0 ? { bare: true } : { at } },
    }));
    await server.deploy("many", code, { schedules });
    const page = await openPage(t, stand, { scheme: "dark" });
    await page.goto("/functions/many/schedules");
    const ran = (name: string) => page.getByRole("region", { name: `The run of ${name}` });
    for (const name of ["at-0", "at-1"]) {
      await page.getByRole("button", { name: `Run now: ${name}`, exact: true }).click();
      await ran(name)
        .getByRole("heading", { name: `The run of ${name}` })
        .waitFor();
      const { y, height } = (await ran(name).boundingBox()) ?? { y: -1, height: 0 };
      assert.ok(y >= 48 && y + Math.min(height, 200) <= 800, `${name}: ${y}, ${height}`);
      await takePicture(page, `schedule-run-${name}-dark`);
      if (name !== "at-0") continue;
      await ran(name).getByRole("alert").getByText("bare").waitFor();
      const stacks = await ran(name).getByRole("alert").locator("pre").count();
      assert.equal(stacks, 0, "without a stack there is no place for one");
    }
    const id = await ran("at-1").getByRole("link").textContent();
    assert.ok(id);
    await ran("at-1").getByRole("link").click();
    await page.getByRole("dialog").getByText(id).first().waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Run now: at-0", exact: true }).waitFor();
    await server.api("DELETE", "/api/v1/functions/many");
    await page.getByRole("alert").getByText("It is not there").waitFor();
    assert.equal(await page.getByRole("button", { name: /Run now/ }).count(), 0);
  });

  test("are added, changed and removed in the settings, and bad ones are told where they are", async (t) => {
    await stand.server.deploy("report", code);
    const page = await openPage(t, stand);
    await page.goto("/functions/report/settings");
    const add = page.getByRole("button", { name: "Add a schedule" });
    const save = page.getByRole("button", { name: "Save as a new revision" });
    const row = (at: number) => page.getByRole("group", { name: `Schedule ${at}` });
    const field = (at: number, name: string) =>
      row(at).getByRole("textbox", { name }).or(row(at).getByRole("combobox", { name }));
    await add.click();
    await field(1, "Name").fill("nightly");
    await field(1, "Cron").fill("0 3 * *");
    await field(1, "Time zone").fill("Europe/Berlin");
    await add.click();
    await field(2, "Name").fill("hourly");
    await field(2, "Cron").fill("@hourly");
    await field(2, "Time zone").fill("UTC");
    await field(2, "Event").fill('{"full": tru');
    await row(2).getByText("expected JSON").waitFor();
    await save.click();
    await page.waitForTimeout(200);
    assert.deepEqual(await schedulesOf("report"), [], "what is no JSON keeps the form");
    await field(2, "Event").fill('{"full": true}');
    await row(2).getByRole("switch", { name: "Enabled" }).uncheck();
    await save.click();
    const told = page.getByRole("alert").getByText("Schedule 1: Cron", { exact: true });
    await told.waitFor();
    await row(1).getByText("Schedule 1", { exact: true }).waitFor();
    await row(1).getByText("expected five fields").waitFor();
    assert.equal(await page.getByText("expected five fields").count(), 2, "in its place and below");
    assert.equal(await field(1, "Cron").getAttribute("aria-invalid"), "true");
    await row(1).locator(":focus[aria-invalid]").waitFor();
    await assertAccessible(page, "settings with schedules");
    await takePicture(page, "schedule-fields-light");
    await assertFits(page, 390);
    await row(1).scrollIntoViewIfNeeded();
    await takePicture(page, "schedule-fields-light-390");
    await page.setViewportSize({ width: 1280, height: 800 });
    await field(1, "Cron").fill("0 3 * * *");
    await told.waitFor({ state: "detached" });
    assert.equal(await page.getByText("expected five fields").count(), 0);
    await field(2, "Name").fill("Hourly");
    await row(2).getByText("expected lower-case letters").waitFor();
    const tops = await Promise.all(
      ["Name", "Cron", "Time zone"].map(async (name) => (await field(2, name).boundingBox())?.y),
    );
    assert.equal(new Set(tops).size, 1, `inputs of a row are on one line: ${tops.join(", ")}`);
    await takePicture(page, "schedule-name-light");
    await save.click();
    await page.waitForTimeout(200);
    assert.deepEqual(await schedulesOf("report"), [], "a bad name keeps the form");
    await field(2, "Name").fill("nightly");
    await row(2).getByText("expected a name that no schedule before it has").waitFor();
    await field(1, "Name").fill("");
    await save.scrollIntoViewIfNeeded();
    await page.evaluate("window.scrollTo(0, document.body.scrollHeight)");
    await save.click();
    const { y } = (await row(1).locator("label").first().boundingBox()) ?? { y: 0 };
    assert.ok(y >= 48, `what is wrong is below the header, with its label: ${y}`);
    await field(1, "Name").fill("nightly");
    await field(2, "Name").fill("hourly");
    await save.click();
    await page.getByText("Revision 2 is live.").waitFor();
    const nightly = { name: "nightly", cron: "0 3 * * *", timeZone: "Europe/Berlin" };
    const hourly = { name: "hourly", cron: "@hourly", timeZone: "UTC" };
    assert.deepEqual(await schedulesOf("report"), [
      { ...nightly, enabled: true },
      { ...hourly, enabled: false, event: { full: true } },
    ]);
    await page.getByRole("button", { name: "Remove the schedule nightly" }).click();
    assert.equal(await field(1, "Event").inputValue(), '{\n  "full": true\n}');
    await page.getByRole("button", { name: "Discard changes" }).click();
    assert.equal(await field(1, "Name").inputValue(), "nightly");
    assert.equal(await field(1, "Event").inputValue(), "");
    await page.getByRole("button", { name: "Remove the schedule nightly" }).click();
    await field(1, "Event").fill("");
    await save.click();
    await page.getByText("Revision 3 is live.").waitFor();
    assert.deepEqual(await schedulesOf("report"), [{ ...hourly, enabled: false }]);
  });
});
