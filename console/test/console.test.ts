import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
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
import { setScene } from "./scenery.ts";

const tabs = [
  "overview",
  "try",
  "code",
  "revisions",
  "invocations",
  "schedules",
  "logs",
  "settings",
];

/** Every page, and what says that it is there. */
const pages: readonly (readonly [path: string, title: string])[] = [
  ["/?range=day", "Overview"],
  ["/functions", "Functions"],
  ["/new", "New function"],
  ...tabs.map((tab) => [`/functions/orders-api/${tab}?range=day`, "orders-api"] as const),
  ["/compare", "Compare"],
  ["/cost", "Cost"],
  ["/system", "System"],
  ["/nowhere", "There is no such page"],
];

function pictureOf(path: string): string {
  const name = path.split("?")[0]?.slice(1).replaceAll("/", "-");
  return name === "" ? "overview" : (name as string);
}

describe("the console", { skip }, () => {
  let stand: Stand;
  before(async () => {
    stand = await openStand();
    await setScene(stand.server);
  });
  after(() => stand.close());

  test("lets nobody in without a key, and says what is wrong with one", async (t) => {
    const page = await openPage(t, stand, { isSignedIn: false });
    await page.goto("/functions");
    await page.getByLabel("API key").fill("isola_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText(/No such key is known here/).waitFor();
    await inBothThemes(page, "sign-in");
    await page.getByRole("textbox", { name: "API key" }).fill(stand.server.adminKey);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Functions" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/functions");
  });

  /** As a person who changes the theme of the system: the page is not loaded anew. */
  async function inBothThemes(page: Page, name: string): Promise<void> {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 1280, height: 800 });
      await settled(page);
      await assertAccessible(page, `${name} ${colorScheme}`);
      await takePicture(page, `${name}-${colorScheme}`);
      await assertFits(page, 390);
      await takePicture(page, `${name}-${colorScheme}-390`);
    }
  }

  for (const [path, title] of pages) {
    test(`${path} has nothing against WCAG 2.2 AA in both themes, and fits a telephone`, async (t) => {
      const page = await openPage(t, stand);
      await page.goto(path);
      await page.getByRole("heading", { level: 1, name: title }).waitFor();
      await inBothThemes(page, pictureOf(path));
    });
  }

  test("shows one invocation in full beside the list, by its address", async (t) => {
    const page = await openPage(t, stand);
    const list = await stand.server.api("GET", "/api/v1/invocations?outcome=timeout&limit=1");
    const { id, functionName } = list.json.items[0];
    await page.goto(`/functions/${functionName}/invocations?id=${id}`);
    await page.getByRole("dialog").getByText("ran longer than 3000 ms").waitFor();
    await inBothThemes(page, "one-invocation");
  });

  test("runs nothing that somebody managed to put into a page, and asks nobody else", async (t) => {
    const page = await openPage(t, stand, { isAttacked: true });
    const answer = await page.goto("/functions");
    const policy = answer?.headers()["content-security-policy"] ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /script-src[^;]*unsafe/);
    await page.getByRole("heading", { name: "Functions" }).waitFor();
    const ran = await page.evaluate<{ owned: boolean; broken: string[] }>(`(async () => {
      const broken = [];
      document.addEventListener("securitypolicyviolation", (event) => broken.push(event.effectiveDirective));
      const script = document.createElement("script");
      script.textContent = "globalThis.owned = true";
      document.body.append(script);
      const box = document.createElement("div");
      box.innerHTML = "<img src='data:,' onerror='globalThis.owned = true'>";
      document.body.append(box);
      await fetch("https://elsewhere.invalid/").catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 200));
      return { owned: "owned" in globalThis, broken: [...new Set(broken)] };
    })()`);
    assert.equal(ran.owned, false);
    const expected = ["connect-src", "script-src-attr", "script-src-elem"];
    assert.deepEqual(ran.broken.toSorted(), expected);
  });
});
