import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type Stand,
  assertAccessible,
  openPage,
  openStand,
  settled,
  skip,
  takePicture,
} from "./browser.ts";
import { writeCode } from "./write-code.ts";

const hello = { "index.mjs": "export const handler = () => 'one';\n" };
const changed = "export const handler = () => 'typed while it was down';\n";

describe("where the server is not as it should be, a page", { skip }, () => {
  let stand: Stand;
  before(async () => {
    stand = await openStand();
    await stand.server.deploy("hello", hello);
  });
  after(() => stand.close());

  test("says that it is down and what to do, keeps what was typed, and goes on by itself", async (t) => {
    const { server } = stand;
    const page = await openPage(t, stand);
    const other = await page.context().newPage();
    await other.goto("/functions");
    await other.getByRole("link", { name: "hello" }).waitFor();
    await other.waitForLoadState("networkidle"); // the other pages have been fetched
    await page.goto("/functions/hello/code");
    await writeCode(page, "index.mjs", changed);
    const port = new URL(server.apiUrl).port;
    await server.stop();
    const notice = page.getByRole("status").filter({ hasText: "The server does not answer" });
    await notice.waitFor();
    await page.getByRole("button", { name: "Deploy" }).click();
    await page
      .getByRole("alert")
      .getByText(/try again once it answers/)
      .waitFor();
    await assertAccessible(page, "the server is down");
    await takePicture(page, "server-down-light");
    // A page that was not looked at before says so in place of what it would show.
    await other.getByRole("link", { name: "Cost" }).click();
    await other.getByRole("alert").getByText("The server does not answer").waitFor();
    await server.start({ ISOLA_CONTROL_PORT: port });
    await notice.waitFor({ state: "detached" });
    await other.getByText("Cost here").first().waitFor();
    assert.equal(await other.getByRole("alert").count(), 0);
    await page.getByText("typed while it was down").waitFor();
    await page.getByRole("button", { name: "Deploy" }).click();
    await page
      .getByText(/^Revision 2/)
      .first()
      .waitFor();
    assert.equal((await server.call("/hello")).text, "typed while it was down");
  });

  test("says that it is slow, and shows what comes in the end", async (t) => {
    const page = await openPage(t, stand);
    let isSlow = true;
    await page.route("**/api/v1/functions?**", async (route) => {
      while (isSlow) await new Promise((resolve) => setTimeout(resolve, 50));
      await route.continue();
    });
    await page.goto("/functions");
    const notice = page.getByRole("status").filter({ hasText: "The server is slow to answer" });
    await notice.waitFor();
    await takePicture(page, "server-slow-light");
    isSlow = false;
    await page.getByRole("link", { name: "hello" }).waitFor();
    await notice.waitFor({ state: "detached" });
  });

  test("asks to sign in again where the session has ended, keeps what was typed, and goes on", async (t) => {
    const { server } = stand;
    const page = await openPage(t, stand);
    await page.goto("/functions/hello/settings");
    const timeout = page.getByRole("textbox", { name: "Timeout (ms)", exact: true });
    await timeout.fill("4321");
    const origin = server.apiUrl;
    const ended = await page
      .context()
      .request.delete(`${origin}/api/v1/session`, { headers: { origin } });
    assert.equal(ended.status(), 204);
    const dialog = page.getByRole("dialog", { name: "Your session has ended" });
    await dialog.waitFor();
    await settled(page);
    await assertAccessible(page, "the session has ended");
    await takePicture(page, "session-ended-light");
    await dialog.getByRole("textbox", { name: "API key" }).fill("isola_wrong");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.getByText(/No such key is known here/).waitFor();
    await dialog.getByRole("textbox", { name: "API key" }).fill(server.adminKey);
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.waitFor({ state: "detached" });
    assert.equal(await timeout.inputValue(), "4321");
    await page.getByRole("button", { name: "Save as a new revision" }).click();
    await page.getByText(/Revision \d is live/).waitFor();
    const { json } = await server.api("GET", "/api/v1/functions/hello");
    assert.equal(json.timeoutMs, 4321);
  });

  test("leaves nothing of one key to another that signs in where a session has ended", async (t) => {
    const { server } = stand;
    const page = await openPage(t, stand);
    await page.goto("/functions/hello/settings");
    await page.getByRole("textbox", { name: "Timeout (ms)", exact: true }).fill("1234");
    const made = await server.api("POST", "/api/v1/keys", { name: "reader", scopes: ["read"] });
    const origin = server.apiUrl;
    await page.context().request.delete(`${origin}/api/v1/session`, { headers: { origin } });
    const dialog = page.getByRole("dialog", { name: "Your session has ended" });
    await dialog.getByRole("textbox", { name: "API key" }).fill(made.json.key ?? made.json.secret);
    const loaded = page.waitForEvent("load");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await loaded;
    const timeout = page.getByRole("textbox", { name: "Timeout (ms)", exact: true });
    await timeout.waitFor();
    assert.notEqual(await timeout.inputValue(), "1234");
  });
});
