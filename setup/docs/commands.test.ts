import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { TestServer } from "../../server/test/harness.ts";
import { findCommand } from "../processes.mjs";
import { stepsOf } from "./blocks.ts";
import { pagesOf } from "./markdown.ts";
import { runPage } from "./run-page.ts";
import { apiFaults, type OpenApi } from "./spellings.ts";

const root = join(import.meta.dirname, "../..");

const skip = findCommand("curl") ? false : "there is no curl: apt-get install curl";

describe("with a server that runs", { skip }, () => {
  const pages = pagesOf(root);
  let server: TestServer;
  const folders = mkdtempSync(join(tmpdir(), "isola-pages-"));
  before(async () => {
    server = await new TestServer().start();
  });
  after(async () => {
    await server.dispose();
    rmSync(folders, { recursive: true, force: true });
  });
  afterEach(() => emptied(server));

  for (const page of pages) {
    const steps = stepsOf(page);
    if (!steps.some(({ kind }) => kind === "commands")) continue;
    test(`the commands of ${page.path} do what it says`, async () => {
      const folder = mkdtempSync(join(folders, "page-"));
      const { dataDir, gatewayUrl, apiUrl } = server;
      assert.equal(
        await runPage(page.path, steps, { root, dataDir, gatewayUrl, apiUrl, folder }),
        null,
      );
    });
  }

  test("every path of the API that a page names is one that it describes", async () => {
    const { json } = await server.api("GET", "/openapi.json");
    assert.deepEqual(
      pages.flatMap((page) => apiFaults(page, json as OpenApi)),
      [],
    );
  });
});

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
