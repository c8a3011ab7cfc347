import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { type Stand, openPage, openStand, settled, skip } from "./browser.ts";
import { watchRequests } from "./requests.ts";

const REFRESH_MS = 10_000;
const AHEAD_MS_MAX = 800;
const tabs = ["overview", "code", "revisions", "invocations", "logs", "settings"];
const pages = [
  ...["/", "/functions", "/compare", "/cost", "/system"],
  ...tabs.map((tab) => `/functions/hello/${tab}`),
];

describe("a page of the console", { skip }, () => {
  let stand: Stand;
  before(async () => {
    stand = await openStand();
    await stand.server.deploy("hello", { "index.mjs": "export const handler = () => 'hi';\n" });
    await stand.server.call("/hello");
  });
  after(() => stand.close());

  for (const path of pages)
    test(`${path} asks once for each resource when it opens, and once more at each refresh`, async (t) => {
      const page = await openPage(t, stand);
      await page.clock.install();
      const requests = watchRequests(page);
      await page.goto(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await settled(page);
      await page.waitForTimeout(300);
      await stopClock(page);
      assertOnce(requests.take(), "to open");
      const seen: string[] = [];
      for (let round = 0; round < 2; round += 1) {
        // Each turn of five seconds, as the shortest refresh is.
        await page.clock.runFor(REFRESH_MS / 2);
        await page.waitForTimeout(300);
        const counts = requests.take();
        assertOnce(counts, `refresh ${round + 1}`);
        seen.push(...counts.keys());
      }
      if (path === "/") assert.ok(seen.some((one) => one.startsWith("GET /api/v1/invocations")));
    });
});

/** From here on time passes only as it is told to. A moment that has passed before the page hears of it is refused, and then a later one is named. */
async function stopClock(page: Page): Promise<void> {
  for (let aheadMs = 50; ; aheadMs *= 2) {
    try {
      await page.clock.pauseAt(await page.evaluate<number>(`Date.now() + ${aheadMs}`));
      return;
    } catch (error) {
      if (aheadMs >= AHEAD_MS_MAX || !/to the past/.test(String(error))) throw error;
    }
  }
}

function assertOnce(counts: ReadonlyMap<string, number>, when: string): void {
  const more = [...counts].filter(([, count]) => count > 1);
  assert.deepEqual(more, [], when);
}
