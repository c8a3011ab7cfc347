import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../../server/test/harness.ts";
import {
  type Stand,
  assertAccessible,
  assertFits,
  openPage,
  openStand,
  settled,
  skip,
  takePicture,
} from "./browser.ts";

/** As short as can be: what is looked at is that figures are there. */
const quick = { durationMs: 50, coldStarts: 1, connections: 2, starts: 2, mixes: ["cpu"] };

describe("a comparison in the console", { skip }, () => {
  let stand: Stand;
  before(async () => {
    stand = await openStand();
    await stand.server.deploy("hello", { "index.mjs": "export const handler = () => 'hi';\n" });
    await stand.server.call("/hello");
  });
  after(() => stand.close());

  test("is started, shows how far it is, and is cancelled", async (t) => {
    const page = await openPage(t, stand);
    await page.goto("/compare");
    const name = page.getByRole("combobox", { name: "Function" });
    await eventually("the first function", async () => (await name.inputValue()) === "hello");
    for (const driver of ["docker", "gvisor", "microvm"])
      await page.getByRole("checkbox", { name: driver }).uncheck();
    await page.getByRole("button", { name: "Compare" }).click();
    await page.getByRole("heading", { name: "hello compared" }).waitFor();
    const progress = page.getByRole("progressbar", { name: "How far it is" });
    await progress.waitFor();
    await page
      .getByRole("status")
      .getByText(/^\d+ %: \w/)
      .waitFor();
    await assertAccessible(page, "a comparison that runs");
    await takePicture(page, "comparison-running-light");
    const before = Number(await progress.getAttribute("aria-valuenow"));
    await page.locator(`[role=progressbar]:not([aria-valuenow="${before}"])`).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await progress.waitFor({ state: "detached" });
    await page.getByText("It was cancelled").waitFor();
    await page.getByRole("link", { name: "Compare" }).click();
    await page.getByRole("cell", { name: "cancelled" }).waitFor();
  });

  test("shows what it found without being loaded anew, is downloaded, and tells what drivers cost", async (t) => {
    const { server } = stand;
    const page = await openPage(t, stand);
    const body = { function: "hello", drivers: ["process", "docker"], ...quick };
    const made = await server.api("POST", "/api/v1/comparisons", body);
    assert.equal(made.status, 201, made.text);
    await page.goto(`/compare/${made.json.id}`);
    const figures = page.getByRole("table", { name: "The function" });
    await figures.waitFor({ timeout: 90_000 });
    await page.getByRole("link", { name: "CSV" }).waitFor({ timeout: 90_000 });
    const { json } = await server.api("GET", `/api/v1/comparisons/${made.json.id}`);
    const first = json.drivers[0].figures[0];
    const row = figures.getByRole("row", { name: /^First call, a sandbox started for it/ });
    const shown = first.median.toLocaleString("en-US", { maximumSignificantDigits: 3 });
    assert.ok((await row.innerText()).includes(shown), await row.innerText());
    await page.getByRole("table", { name: "CPU", exact: true }).waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 1280, height: 800 });
      await assertAccessible(page, `a comparison ${colorScheme}`);
      await takePicture(page, `comparison-${colorScheme}`);
      await assertFits(page, 390);
      await takePicture(page, `comparison-${colorScheme}-390`);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "CSV" }).click(),
    ]);
    assert.match(download.suggestedFilename(), /\.csv$/);
    await download.delete();
    await page.getByRole("link", { name: "Cost", exact: true }).click();
    const costs = page.getByRole("table", { name: "Drivers, by a comparison of hello" });
    await costs
      .getByRole("row", { name: /process/ })
      .getByText(/\$/)
      .first()
      .waitFor();
    await settled(page);
    await assertAccessible(page, "cost with figures");
    await takePicture(page, "cost-of-drivers-light");
  });
});
