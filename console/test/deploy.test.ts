import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import {
  type Stand,
  assertAccessible,
  openPage,
  openStand,
  settled,
  skip,
  takePicture,
} from "./browser.ts";
import { welcome } from "../../setup/first-start.mjs";
import { writeCode } from "./write-code.ts";

/** Presses Tab until it is there. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor({ state: "attached" }); // some are seen by what stands around them
  for (let presses = 0; presses < TABS_MAX; presses += 1) {
    await page.keyboard.press("Tab");
    if ((await target.and(page.locator(":focus")).count()) === 1) return;
  }
  assert.fail(`not reached with ${TABS_MAX} presses of Tab`);
}

const TABS_MAX = 60;

describe("a function in the console", { skip }, () => {
  let stand: Stand;
  before(async () => {
    stand = await openStand();
  });
  after(() => stand.close());

  for (const [language, name] of [
    ["JavaScript", "hello-browser"],
    ["Python", "hello-snake"],
  ] as const) {
    test(`is made from a template with the keyboard alone, and answers: ${language}`, async (t) => {
      const page = await openPage(t, stand);
      await page.goto("/functions");
      await tabTo(page, page.getByRole("link", { name: "New function" }));
      await page.keyboard.press("Enter");
      await tabTo(page, page.getByRole("textbox", { name: "Name", exact: true }));
      await page.keyboard.type(name);
      await tabTo(page, page.getByRole("radio", { name: "JavaScript", exact: true }));
      const presses = ["JavaScript", "TypeScript", "Python"].indexOf(language);
      for (let press = 0; press < presses; press += 1) await page.keyboard.press("ArrowRight");
      const ofLanguage = page.getByRole("radio", { name: language, exact: true });
      assert.equal(await ofLanguage.isChecked(), true);
      await tabTo(page, page.getByRole("radio", { name: /^Hello/ }));
      await assertAccessible(page, "new function");
      if (language === "JavaScript") await takePicture(page, "new-function-light");
      await tabTo(page, page.getByRole("button", { name: "Deploy" }));
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: `${name} is deployed` }).waitFor();
      assert.equal((await stand.server.call(`/${name}?name=Ada`)).text, "Hello, Ada!\n");
      await tabTo(page, page.getByRole("button", { name: "Send" }));
      await page.keyboard.press("Enter");
      await page.getByRole("table", { name: "Phases of the invocation" }).waitFor();
      await page.getByText("greeting Ada").waitFor();
      await assertAccessible(page, "deployed");
      await takePicture(page, `deployed-${language.toLowerCase()}`);
    });
  }

  test("is made from templates whose settings, call and files go with the choice", async (t) => {
    const page = await openPage(t, stand);
    await page.goto("/new");
    const choose = (name: string) => page.getByText(name, { exact: true }).click();
    await choose("Webhook");
    const env = page.getByRole("textbox", { name: /^Environment/ });
    assert.equal(await env.inputValue(), "WEBHOOK_SECRET=change-me");
    const files = page.getByRole("navigation", { name: "Files" }).getByText(/\.\w+$/);
    await page.getByText("signature.mjs", { exact: true }).waitFor();
    assert.deepEqual(await files.allInnerTexts(), ["index.mjs", "signature.mjs"]);
    await choose("Python");
    assert.equal(await page.getByRole("radio", { name: /^Webhook/ }).isChecked(), true);
    assert.equal(await env.inputValue(), "WEBHOOK_SECRET=change-me");
    await choose("Scheduled job");
    assert.equal(await env.inputValue(), "");
    const schedule = page.getByRole("group", { name: "Schedule 1" });
    const cron = schedule.getByRole("textbox", { name: "Cron" });
    assert.equal(await cron.inputValue(), "0 4 * * *");
    await choose("Webhook");
    assert.equal(await schedule.count(), 0);
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("hooked");
    await assertAccessible(page, "templates");
    await page.getByRole("button", { name: "Deploy" }).click();
    await page.getByRole("heading", { name: "hooked is deployed" }).waitFor();
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("accepted order.paid").waitFor();
    const { json } = await stand.server.api("GET", "/api/v1/functions/hooked");
    assert.equal(json.handler, "app.handler");
    assert.deepEqual(json.env, { WEBHOOK_SECRET: "change-me" });
  });

  test("is edited, shows an error with its stack, and is rolled back", async (t) => {
    await stand.server.deploy("edited", { "index.mjs": "export const handler = () => 'one';\n" });
    const page = await openPage(t, stand);
    await page.goto("/functions/edited/code");
    const broken = "export const handler = () => {\n  throw new TypeError('no such luck');\n};\n";
    await writeCode(page, "index.mjs", broken);
    await assertAccessible(page, "code");
    await takePicture(page, "code-light");
    await page.getByRole("button", { name: "Deploy" }).click();
    await page
      .getByText("Revision 2 is live")
      .or(page.getByText(/^Revision 2$/))
      .first()
      .waitFor();
    await page.getByRole("tab", { name: "Try" }).click();
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("function error").waitFor();
    await page
      .getByText(/at .*handler \(.*index\.mjs:2/)
      .first()
      .waitFor();
    await assertAccessible(page, "a failed call");
    await takePicture(page, "try-error-light");
    await page.getByRole("tab", { name: "Revisions" }).click();
    await page.getByRole("button", { name: "Changes of revision 2" }).click();
    await page.getByText("no such luck").first().waitFor();
    await assertAccessible(page, "revisions");
    await takePicture(page, "revisions-light");
    await page.getByRole("button", { name: "Roll back to revision 1" }).click();
    await page.getByRole("row", { name: /1 live/ }).waitFor();
    assert.equal((await stand.server.call("/edited")).text, "one");
  });

  test("has its settings changed, shows a timeout, and is deleted by its name", async (t) => {
    const endless = "export const handler = () => new Promise(() => setInterval(() => {}, 50));\n";
    await stand.server.deploy("slow", { "index.mjs": endless });
    const page = await openPage(t, stand);
    await page.goto("/functions/slow/settings");
    await page.getByRole("textbox", { name: "Timeout (ms)", exact: true }).fill("200");
    await page.getByText("Changed: timeoutMs").waitFor();
    await assertAccessible(page, "settings");
    await takePicture(page, "settings-light");
    await page.getByRole("button", { name: "Save as a new revision" }).click();
    await page.getByText("Revision 2 is live").waitFor();
    await page.getByRole("tab", { name: "Try" }).click();
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("timeout", { exact: true }).waitFor();
    await page.getByRole("tab", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    const dialog = page.getByRole("dialog");
    const confirm = dialog.getByRole("button", { name: "Delete", exact: true });
    assert.equal(await confirm.isDisabled(), true);
    await dialog.getByRole("textbox").fill("slow");
    await assertAccessible(page, "delete");
    await confirm.click();
    await page.getByRole("heading", { name: "Functions" }).waitFor();
    assert.equal((await stand.server.api("GET", "/api/v1/functions/slow")).status, 404);
  });

  test("cannot make the page do anything: what it writes is text", async (t) => {
    const hostile = `<img src=x onerror="document.title='owned'"><script>alert(1)</script>\u001b[2J\u202e`;
    const code = `export const handler = () => { console.log(${JSON.stringify(hostile)}); return ${JSON.stringify(hostile)}; };\n`;
    await stand.server.deploy(
      "hostile",
      { "index.mjs": code },
      { description: hostile.slice(0, 60) },
    );
    const page = await openPage(t, stand);
    await page.goto("/functions/hostile/try");
    await page.getByRole("button", { name: "Send" }).click();
    const log = page.getByRole("log", { name: "Log lines of this call" });
    await log.waitFor();
    assert.match(
      (await log.textContent()) ?? "",
      /<script>alert\(1\)<\/script>\\u\{1b\}\[2J\\u\{202e\}/,
    );
    assert.equal(await page.locator("img[src=x], script:not([src])").count(), 0);
    assert.doesNotMatch(await page.title(), /owned/);
  });

  test("is hostile on no other page: what it is called by, logs and fails with is text", async (t) => {
    const { server } = stand;
    const hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>\u001b[31m\u202e";
    const code = `export const handler = () => { console.error(${JSON.stringify(hostile)}); throw new Error(${JSON.stringify(hostile)}); };\n`;
    const files = { "index.mjs": code, "<b onclick=alert(3)>.txt": hostile };
    await server.deploy("hostile-too", files, { description: hostile });
    await server.call(`/hostile-too/${encodeURIComponent(hostile)}?<script>`);
    const page = await openPage(t, stand);
    const seen: string[] = [];
    for (const path of [
      ...["overview", "code", "invocations", "logs", "settings"].map(
        (tab) => `/functions/hostile-too/${tab}`,
      ),
      ...["/", "/functions?query=%3Cscript%3E", "/system"],
      "/functions/%3Cscript%3Ealert(1)%3C%2Fscript%3E/overview",
    ]) {
      await page.goto(path);
      await page.getByRole("heading", { level: 1 }).or(page.getByRole("alert")).first().waitFor();
      await settled(page);
      assert.equal(
        await page.locator("img[src=x], script:not([src]), b[onclick]").count(),
        0,
        path,
      );
      seen.push(await page.locator("main").innerText());
    }
    const text = seen.join("\n");
    assert.ok(text.includes("<script>alert(2)</script>"), "it is shown as it is");
    assert.doesNotMatch(text, /[\u001b\u202e]/);
  });

  test("shows lines as it writes them, by level, each with the way to its invocation", async (t) => {
    const code = `export const handler = (event) => {
      console.log(JSON.stringify({ level: "warn", msg: "low on " + event.rawPath.slice(1) }));
      console.log("plain words");
    };\n`;
    await stand.server.deploy("writes", { "index.mjs": code });
    const page = await openPage(t, stand);
    await page.goto("/functions/writes/logs");
    await page.getByText("No lines.").waitFor();
    await page.getByRole("status").getByText("live").waitFor();
    await stand.server.call("/writes/paper");
    const log = page.getByRole("log", { name: "Log lines" });
    await log.getByText("plain words").waitFor();
    await stand.server.call("/writes/ink");
    await log.getByText("low on ink").waitFor();
    await assertAccessible(page, "live logs");
    await takePicture(page, "live-logs-light");
    await page.getByLabel("Level").selectOption("warn and above");
    await log.getByText("low on paper").waitFor();
    await log.getByText("plain words").first().waitFor({ state: "detached" });
    await page.getByRole("textbox", { name: "Text" }).fill("INK");
    await log.getByText("low on paper").waitFor({ state: "detached" });
    await log.getByRole("link", { name: /^Invocation / }).click();
    await page.getByRole("dialog").getByText("/writes/ink").waitFor();
  });

  test("is there after the first start, and the link that it prints signs in once", async (t) => {
    const { gatewayUrl, apiUrl, dataDir } = stand.server;
    const server = { gateway: gatewayUrl, functions: gatewayUrl, api: apiUrl, data: dataDir };
    let printed = "";
    await welcome({ node: process.execPath, server, print: (text: string) => (printed += text) });
    const link = /^ {2}(http:\S+#sign-in=[0-9a-f]{64})$/m.exec(printed)?.[1] ?? "";
    assert.ok(link.startsWith(apiUrl), printed);
    const page = await openPage(t, stand, { isSignedIn: false });
    await page.goto(link);
    await page.getByRole("link", { name: "Functions" }).click();
    await page.getByRole("link", { name: "hello-js" }).waitFor();
    assert.equal(new URL(page.url()).hash, "", "the link is in no address any more");
    const later = await openPage(t, stand, { isSignedIn: false });
    await later.goto(link);
    await later.getByText(/link/).first().waitFor();
    await later.getByRole("button", { name: "Sign in" }).waitFor();
    assert.equal(await later.getByRole("navigation", { name: "Pages" }).count(), 0);
  });

  test("is deployed from a folder", async (t) => {
    const page = await openPage(t, stand);
    await page.goto("/new");
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("from-folder");
    await page.getByText("Folder or zip", { exact: true }).click();
    const folder = new URL("../../templates/json-api-js", import.meta.url).pathname;
    await page.getByLabel("Folder", { exact: true }).setInputFiles(folder);
    await page.getByText("6 files").waitFor();
    await page.getByRole("textbox", { name: "Handler" }).fill("index.default");
    await page.getByRole("button", { name: "Deploy" }).click();
    await page.getByRole("heading", { name: "from-folder is deployed" }).waitFor();
    assert.equal((await stand.server.call("/from-folder/nowhere")).status, 404);
  });
});
