import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
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

const code = (text: string) => ({
  files: {
    "index.mjs": `export const handler = () => { console.log('of ${text}'); return '${text}'; };\n`,
  },
});

describe("projects in the console", { skip }, () => {
  let stand: Stand;
  let teamKey: string;
  before(async () => {
    stand = await openStand({ ISOLA_ACCEPT_PROJECTS_ON_PROCESS: "true" });
    const { server } = stand;
    await server.api("POST", "/api/v1/projects", { name: "team-a" });
    for (const project of ["default", "team-a"]) {
      const body = { name: "hello", runtime: "nodejs", code: code(project) };
      const made = await server.api("POST", `/api/v1/functions?project=${project}`, body);
      assert.equal(made.status, 201, made.text);
    }
    await server.deploy("only-default", code("default").files);
    const key = { name: "team", scopes: ["admin"], project: "team-a" };
    teamKey = (await server.api("POST", "/api/v1/keys", key)).json.key;
  });
  after(() => stand.close());

  test("are shown together, or one alone, by an address that can be shared", async (t) => {
    const page = await openPage(t, stand);
    await page.goto("/functions");
    const links = page.getByRole("table", { name: "Functions" }).getByRole("link");
    await links.nth(2).waitFor();
    assert.deepEqual((await links.allTextContents()).toSorted(), [
      ...["hello", "only-default", "team-a / hello"],
    ]);
    await settled(page);
    await assertAccessible(page, "all projects");
    await takePicture(page, "projects-light");
    await assertFits(page, 390);
    await takePicture(page, "projects-light-390");
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByLabel("Project").selectOption("team-a");
    await page.getByRole("link", { name: "only-default" }).waitFor({ state: "detached" });
    assert.deepEqual(await links.allTextContents(), ["hello"]);
    assert.equal(new URL(page.url()).searchParams.get("project"), "team-a");
    await page.reload();
    await page.getByRole("link", { name: "hello" }).click();
    await page.getByRole("link", { name: /\/~team-a\/hello$/ }).waitFor();
    await page.getByRole("tab", { name: "Try" }).click();
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("of team-a").waitFor();
    await page.getByRole("tab", { name: "Invocations" }).click();
    await page.getByRole("table", { name: "Invocations" }).waitFor();
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    assert.equal(new URL(page.url()).searchParams.get("project"), "team-a");
    await page.getByLabel("Project").selectOption("All projects");
    assert.equal(new URL(page.url()).searchParams.get("project"), null);
  });

  test("a function is reached from the list of all, and made in the project that is shown", async (t) => {
    const page = await openPage(t, stand);
    await page.goto("/functions");
    await page.getByRole("link", { name: "team-a / hello" }).click();
    await page.getByRole("link", { name: /\/~team-a\/hello$/ }).waitFor();
    await page.goto("/new?project=team-a");
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("made-here");
    await page.getByRole("button", { name: "Deploy" }).click();
    await page.getByRole("heading", { name: "made-here is deployed" }).waitFor();
    const { status } = await stand.server.call("/~team-a/made-here");
    assert.equal(status, 200);
    await stand.server.api("DELETE", "/api/v1/functions/made-here?project=team-a");
  });

  test("a key of one project sees that alone, without a switch", async (t) => {
    const page = await openPage(t, stand, { key: teamKey });
    await page.goto("/functions");
    await page.getByRole("link", { name: "hello" }).waitFor();
    await settled(page);
    const links = page.getByRole("table", { name: "Functions" }).getByRole("link");
    assert.deepEqual(await links.allTextContents(), ["hello"]);
    assert.equal(await page.getByLabel("Project").count(), 0);
    await page.getByText("team-a", { exact: true }).waitFor();
    for (const path of ["/?range=hour", "/compare", "/cost", "/system"]) {
      await page.goto(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await settled(page);
      assert.equal(await page.getByRole("alert").count(), 0, path);
      assert.equal(await page.getByText("only-default").count(), 0, path);
    }
    await page.goto("/functions/only-default/overview?project=default");
    await page.getByRole("alert").getByText("It is not there").waitFor();
  });
});
