import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { TestServer, eventually } from "../harness.ts";
import { bulkFunctions, bulkName, bulkRoute } from "./bulk-functions.ts";

const COUNT = 100_000;
const functions = "/api/v1/functions";
const server = new TestServer({ ISOLA_BLANK_PYTHON: "0" });
const files = { "index.mjs": "export const handler = (event) => event.rawPath;" };

before(async () => {
  await bulkFunctions(server.dataDir, COUNT, "nodejs26");
  await server.start();
  await eventually("readiness", async () => (await server.api("GET", "/readyz")).status === 200);
});
after(() => server.dispose());

/** Page by page to the end; `between` runs after each page. */
async function readAll(
  query: string,
  between: (page: number) => Promise<unknown> = async () => null,
): Promise<any[]> {
  const all: any[] = [];
  let cursor = "";
  for (let page = 0; ; page += 1) {
    const { status, json, text } = await server.api(
      "GET",
      `${functions}?limit=200&${query}${cursor}`,
    );
    assert.equal(status, 200, text);
    all.push(...json.items);
    if (json.nextCursor === null) return all;
    cursor = `&cursor=${json.nextCursor}`;
    await between(page);
  }
}

const isBulk = ({ name }: { name: string }) => name.startsWith("fn-");

describe("a server with 100,000 functions", () => {
  test("lists every name once and in order, while others are created and deleted before and behind the cursor", async () => {
    const made: string[] = [];
    const all = await readAll("", async (page) => {
      if (page % 50 !== 0) return;
      for (const name of [`aa-${page}`, `zz-${page}`]) {
        await server.deploy(name, files);
        made.push(name);
      }
      const old = made.length > 4 ? made.splice(0, 2) : [];
      for (const name of old) await server.api("DELETE", `${functions}/${name}`);
    });
    const names = all.map(({ name }) => name as string);
    assert.deepEqual(names, names.toSorted());
    assert.equal(new Set(names).size, names.length);
    assert.deepEqual(
      all.filter(isBulk).map(({ name }) => name),
      Array.from({ length: COUNT }, (_, at) => bulkName(at)),
    );
    for (const name of made) await server.api("DELETE", `${functions}/${name}`);
  });

  test("sorts and filters them", async () => {
    const first = async (query: string) =>
      (await server.api("GET", `${functions}?limit=3&${query}`)).json.items
        .filter(isBulk)
        .map(({ name }: any) => name);
    const last = [1, 2, 3].map((back) => bulkName(COUNT - back));
    assert.deepEqual(await first("sort=-name"), last);
    assert.deepEqual(await first("sort=-createdAt"), last);
    assert.deepEqual(await first("sort=updatedAt"), [0, 1, 2].map(bulkName));
    assert.deepEqual(await first("query=NUMBER%2099999"), [bulkName(99_999)]);
    assert.deepEqual(await first("query=fn-0777"), [77_700, 77_701, 77_702].map(bulkName));
    const group = await readAll("label=group%3Dg7&sort=-updatedAt");
    assert.deepEqual(
      group.map(({ name }) => name),
      Array.from({ length: COUNT / 10 }, (_, at) => bulkName(COUNT - 3 - at * 10)),
    );
  });

  test("calls them on their default and explicit routes", async () => {
    for (const at of [0, 1, 49_999, 50_000, 77_777, COUNT - 1]) {
      const name = bulkName(at);
      const byName = await server.call(`/${name}/some/path`);
      assert.deepEqual(byName.json, { path: "/some/path", id: null, mark: name });
      const route = bulkRoute(at);
      if (route === null) continue;
      const path = route.replace(":id", "a%20b");
      assert.deepEqual((await server.call(path)).json, { path, id: "a b", mark: name });
    }
    assert.equal((await server.call("/fn-100000")).json.error.code, "route_not_found");
    assert.equal((await server.call("/tenants/t100001/items/1")).status, 404);
  });

  test("deploys one more, refuses what conflicts with one of them, and moves and deletes routes", async () => {
    const route = { methods: ["GET"], path: "/tenants/more/items/:id" };
    await server.deploy("more", files, { route });
    assert.equal((await server.call("/tenants/more/items/1")).text, "/tenants/more/items/1");
    const conflicts = [
      { methods: ["GET"], path: "/tenants/t77777/items/:other" },
      { methods: [], path: "/tenants/:any/items/special" },
    ];
    for (const [at, conflicting] of conflicts.entries()) {
      const body = { name: `clash-${at}`, runtime: "nodejs", code: { files }, route: conflicting };
      const { status, json } = await server.api("POST", functions, body);
      assert.deepEqual([status, json.error.code], [409, "route_conflict"]);
    }
    const taken = bulkName(77_777);
    const moved = { route: { path: "/moved/:id" } };
    assert.equal((await server.api("PATCH", `${functions}/${taken}`, moved)).status, 200);
    assert.equal((await server.call("/moved/7")).json.mark, taken);
    assert.equal((await server.call("/tenants/t77777/items/1")).status, 404);
    const freed = { route: { path: "/tenants/t77777/items/:mine" } };
    assert.equal((await server.api("PATCH", `${functions}/more`, freed)).status, 200);
    assert.equal((await server.call("/tenants/t77777/items/1")).status, 200);
    await server.api("DELETE", `${functions}/more`);
    assert.equal((await server.call("/tenants/t77777/items/1")).status, 404);
  });
});
