import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { type Stand, assertAccessible, openPage, openStand, skip, takePicture } from "./browser.ts";

const hello = { "index.mjs": "export const handler = async () => 'hello';\n" };

function pictureOf(path: string): string {
  return path === "/" ? "overview" : path.slice(1).replaceAll("/", "-");
}

/** Nothing that stands in for what is still loaded is left. */
async function settled(page: Page): Promise<void> {
  await page.locator(".mantine-Skeleton-root").first().waitFor({ state: "detached" });
  await page.waitForTimeout(300);
}

describe("the console", { skip }, () => {
  let stand: Stand;
  before(async () => {
    stand = await openStand();
    await stand.server.deploy("hello", hello);
    await stand.server.call("/hello");
  });
  after(() => stand.close());

  test("lets nobody in without a key, and says what is wrong with one", async (t) => {
    const page = await openPage(t, stand, { isSignedIn: false });
    await page.goto("/functions");
    await page.getByLabel("API key").fill("isola_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText(/expected `Authorization/).waitFor();
    await assertAccessible(page, "sign in");
    await takePicture(page, "sign-in");
    await page.getByRole("textbox", { name: "API key" }).fill(stand.server.adminKey);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Functions" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/functions");
  });

  for (const scheme of ["light", "dark"] as const) {
    for (const [path, title] of [
      ["/", "Overview"],
      ["/functions", "Functions"],
      ["/functions/hello/overview", "hello"],
      ["/functions/hello/logs", "hello"],
      ["/functions/hello/invocations", "hello"],
      ["/compare", "Compare"],
      ["/cost", "Cost"],
      ["/system", "System"],
    ] as const) {
      test(`${path} is accessible and fits a telephone, ${scheme}`, async (t) => {
        const page = await openPage(t, stand, { scheme });
        await page.goto(path);
        await page.getByRole("heading", { level: 1, name: title }).waitFor();
        await settled(page);
        await assertAccessible(page, `${path} ${scheme}`);
        await takePicture(page, `${pictureOf(path)}-${scheme}`);
        await page.setViewportSize({ width: 390, height: 800 });
        await page.waitForTimeout(200);
        const width = await page.evaluate<number>("document.documentElement.scrollWidth");
        assert.ok(width <= 390, `${width} px wide`);
        await takePicture(page, `${pictureOf(path)}-${scheme}-390`);
      });
    }
  }

  test("is held to its content policy", async (t) => {
    const page = await openPage(t, stand);
    const answer = await page.goto("/functions");
    const policy = answer?.headers()["content-security-policy"] ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /script-src[^;]*unsafe/);
  });
});
