import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { bulkFunctions, bulkName } from "../../server/test/api/bulk-functions.ts";
import { eventually } from "../../server/test/harness.ts";
import { type Stand, openPage, openStand, skip, takePicture } from "./browser.ts";
import { watchRequests } from "./requests.ts";

const COUNT = 10_000;
const ROWS_MAX = 60;

/** Frames while something goes on: how long each took, and the most rows that there were. */
const watchFrames = `(() => {
  const table = document.querySelector('[role=table]');
  const seen = { frames: [], rows: 0, isOver: false };
  let last = performance.now();
  const look = (now) => {
    seen.frames.push(now - last);
    last = now;
    seen.rows = Math.max(seen.rows, table.querySelectorAll('[data-placed]').length);
    if (!seen.isOver) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  globalThis.seenFrames = seen;
})()`;

async function rowsOf(page: Page): Promise<number> {
  return page.locator("[role=table] [data-placed]").count();
}

describe("a list of 10,000 functions", { skip }, () => {
  let stand: Stand;
  before(async () => {
    stand = await openStand({ ISOLA_BLANK_PYTHON: "0" }, (server) =>
      bulkFunctions(server.dataDir, COUNT, "nodejs26"),
    );
    await eventually(
      "readiness",
      async () => (await stand.server.api("GET", "/readyz")).status === 200,
    );
    for (const at of [0, 1, 2]) await stand.server.call(`/${bulkName(at)}`);
    await eventually("the metrics", async () => {
      const query = `function=${bulkName(0)}&metric=invocations`;
      const { groups } = (await stand.server.api("GET", `/api/v1/metrics?${query}`)).json;
      return groups[0]?.metrics[0].statistics.sum.whole === 1;
    });
  });
  after(() => stand.close());

  test("is there with its first page, its figures in one request, and as few rows as are seen", async (t) => {
    const page = await openPage(t, stand);
    const requests = watchRequests(page);
    await page.goto("/functions");
    await page.getByRole("link", { name: bulkName(0) }).waitFor();
    await page.getByRole("img", { name: "1 calls, 0 errors in 24 hours" }).first().waitFor();
    const counts = requests.take();
    assert.equal(counts.get("GET /api/v1/functions"), 1);
    assert.equal(counts.get("GET /api/v1/metrics by project, function"), 1);
    const rows = await rowsOf(page);
    assert.ok(rows < ROWS_MAX, `${rows} rows`);
  });

  test("is scrolled to its end while few rows exist; the times of its frames are printed", async (t) => {
    const page = await openPage(t, stand);
    await page.goto("/functions");
    await page.getByRole("link", { name: bulkName(0) }).waitFor();
    await page.evaluate(watchFrames);
    const startedAt = performance.now();
    await page.evaluate(`(async () => {
      const box = document.querySelector('[role=region][aria-label=Functions]');
      const isEnd = () => document.body.innerText.includes('${bulkName(COUNT - 1)}');
      while (!isEnd()) {
        box.scrollTop += 2400;
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    })()`);
    const took = performance.now() - startedAt;
    const seen = await page.evaluate<{ frames: number[]; rows: number }>(
      "globalThis.seenFrames.isOver = true, globalThis.seenFrames",
    );
    assert.ok(seen.rows < ROWS_MAX, `${seen.rows} rows at once`);
    const frames = seen.frames.slice(1).toSorted((a, b) => a - b);
    const at = (share: number) => (frames[Math.floor(frames.length * share)] ?? 0).toFixed(1);
    t.diagnostic(
      `${COUNT} functions scrolled through in ${(took / 1000).toFixed(1)} s, ${frames.length} frames: median ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${frames.at(-1)?.toFixed(1)} ms; at most ${seen.rows} rows in the page`,
    );
    await page.getByRole("link", { name: bulkName(COUNT - 1) }).waitFor();
  });

  test("is sorted and searched by the server, and the address has both", async (t) => {
    const page = await openPage(t, stand);
    await page.goto("/functions");
    await page.getByRole("button", { name: "Name" }).click();
    await page.getByRole("link", { name: bulkName(COUNT - 1) }).waitFor();
    assert.equal(new URL(page.url()).searchParams.get("sort"), "-name");
    await page.getByRole("textbox", { name: "Search functions" }).fill("fn-00777");
    await page.getByRole("link", { name: bulkName(7779) }).waitFor();
    await eventually("ten rows", async () => (await rowsOf(page)) === 10);
    await takePicture(page, "functions-searched-light");
    await page.reload();
    await page.getByRole("link", { name: bulkName(7779) }).waitFor();
    assert.equal(
      await page.getByRole("link", { name: /^fn-/ }).first().textContent(),
      bulkName(7779),
    );
  });
});
