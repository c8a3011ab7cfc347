import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type Stand,
  assertAccessible,
  assertFits,
  openPage,
  openStand,
  skip,
  takePicture,
} from "./browser.ts";

const code = { "index.mjs": "export const handler = (event) => event;\n" };

describe("schedules in the console", { skip }, () => {
  let stand: Stand;
  before(async () => {
    stand = await openStand({ ISOLA_BLANK_PYTHON: "0" });
  });
  after(() => stand.close());

  const schedulesOf = async (name: string) =>
    (await stand.server.api("GET", `/api/v1/functions/${name}`)).json.schedules;

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
    await page.getByRole("alert").getByText("schedules[0].cron", { exact: true }).waitFor();
    await assertAccessible(page, "settings with schedules");
    await takePicture(page, "schedule-fields-light");
    await assertFits(page, 390);
    await field(1, "Cron").fill("0 3 * * *");
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
