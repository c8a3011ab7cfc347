import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createClient } from "@isola/client";
import { TestServer } from "../../server/test/harness.ts";
import { root } from "./packed-client.ts";

/** What goes beyond one call of the API. */
const composed = ["call", "deploy", "followEvents", "followLogs"];
const stand = "stands-for-a-name";

/** The call behind each method of the client: `GET /api/v1/functions/{}`. */
async function callsOfClient(): Promise<Map<string, string>> {
  let asked = "";
  const client = createClient({
    url: "http://127.0.0.1:1",
    retries: 0,
    fetch: async (input, init) => {
      const { pathname } = new URL(input as string);
      asked = `${init?.method} ${pathname.replaceAll(stand, "{}")}`;
      return new Response("{}", { status: 404 });
    },
  });
  const calls = new Map<string, string>();
  for (const [method, make] of Object.entries(client)) {
    if (composed.includes(method)) continue;
    asked = "";
    const call = make as (
      ...args: unknown[]
    ) => Promise<unknown> | AsyncGenerator | { url: string };
    // Each takes a name, a body or a query first, and where it needs a second one an object does, but for an id or another name.
    const second = ["debugConnection", "runSchedule"].includes(method) ? stand : { files: [] };
    const made = call(stand, second);
    if ("url" in made) asked = `GET ${new URL(made.url).pathname.replaceAll(stand, "{}")}`;
    else await ("next" in made ? made.next() : made).catch(() => {});
    calls.set(method, asked);
  }
  return calls;
}

describe("the client", () => {
  const server = new TestServer();
  before(() => server.start());
  after(() => server.dispose());

  test("reaches every operation of the OpenAPI document, and calls nothing else", async () => {
    const { paths } = (await server.api("GET", "/openapi.json")).json;
    const operations = Object.entries<Record<string, unknown>>(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(
        (method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, "{}")}`,
      ),
    );
    assert.ok(operations.length > 30);
    const called = new Set((await callsOfClient()).values());
    assert.deepEqual([...called].sort(), [...new Set(operations)].sort());
  });

  test("has each method in docs/client.md with the call behind it", async () => {
    const text = readFileSync(join(root, "docs/client.md"), "utf8");
    const rows = [...text.matchAll(/^\| `(\w+)\([^|]*\)` \| `(\w+ [^`]+)` \|/gm)];
    const told = rows.map(([, method, call]) => [method, call?.replaceAll(/\{\w+\}/g, "{}")]);
    const calls = [...(await callsOfClient())];
    assert.deepEqual(Object.fromEntries(told), Object.fromEntries(calls));
    for (const method of composed) assert.match(text, new RegExp(`^\\| \`${method}\\(`, "m"));
  });
});
