import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { TestServer } from "../../server/test/harness.ts";
import { findCommand } from "../processes.mjs";
import { stepsOf } from "./blocks.ts";
import { type Page, pagesOf } from "./markdown.ts";
import { runPage } from "./run-page.ts";
import { apiFaults, type OpenApi } from "./spellings.ts";

const root = join(import.meta.dirname, "../..");
const skip = findCommand("curl") ? false : "there is no curl: apt-get install curl";
/** Servers at once, each with its share of the pages. */
const lanes = 2;

describe("with servers that run", { skip, concurrency: lanes }, () => {
  const pages = pagesOf(root);
  const run = pages.filter(
    (page) =>
      stepsOf(page).some(({ kind }) => kind === "commands") && !page.path.startsWith("templates/"), // server/test/templates.test.ts follows them in folders that are made of the templates
  );
  const folder = mkdtempSync(join(tmpdir(), "isola-pages-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (let lane = 0; lane < lanes; lane++) {
    const share = run.filter((_, index) => index % lanes === lane);
    describe(`share ${lane + 1} of the pages`, { concurrency: 1 }, () => runPages(share, folder));
  }

  test("every path of the API that a page names is one that it describes", async (t) => {
    const server = new TestServer();
    t.after(() => server.dispose());
    await server.start();
    const { json } = await server.api("GET", "/openapi.json");
    const faults = pages.flatMap((page) => apiFaults(page, json as OpenApi));
    assert.deepEqual(faults, []);
  });
});

function runPages(pages: readonly Page[], parent: string): void {
  const server = new TestServer();
  before(() => server.start());
  after(() => server.dispose());
  afterEach(() => emptied(server));

  for (const page of pages) {
    test(`the commands of ${page.path} do what it says`, async () => {
      const folder = mkdtempSync(join(parent, "page-"));
      const { dataDir, gatewayUrl, apiUrl } = server;
      const place = { root, dataDir, gatewayUrl, apiUrl, folder };
      assert.equal(await runPage(page.path, stepsOf(page), place), null);
    });
  }
}

/** Removes what a page has deployed, so that the next one finds nothing. */
async function emptied(server: TestServer): Promise<void> {
  const { json } = await server.api("GET", "/api/v1/projects?limit=200");
  for (const { name } of json.items as { name: string }[]) {
    const of = `?project=${name}`;
    const functions = await server.api("GET", `/api/v1/functions${of}&limit=200`);
    for (const fn of functions.json.items as { name: string }[]) {
      await server.api("DELETE", `/api/v1/functions/${fn.name}${of}`);
    }
    if (name !== "default") await server.api("DELETE", `/api/v1/projects/${name}`);
  }
}
