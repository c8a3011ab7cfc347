import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { runIsola } from "../test/run-isola.ts";
import { ownVersion, skewNote } from "./version-skew.ts";

test("a server of another minor version is told, one of the same or without a version is not", () => {
  for (const same of ["1.2.0", "1.2.9", null]) assert.equal(skewNote("1.2.3", same), null);
  for (const other of ["1.3.0", "2.2.3", "x".repeat(999)]) {
    const note = skewNote("1.2.3", other);
    assert.match(note ?? "", /^this is isola 1\.2\.3, the server is /);
    assert.ok((note as string).length < 200);
  }
});

test("a command says it on stderr after its answer, and not to machines", async (t) => {
  const server = createServer((_request, response) => {
    response.setHeader("isola-version", "99.1.0").setHeader("content-type", "application/json");
    response.end(JSON.stringify({ items: [], nextCursor: null }));
  });
  t.after(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const env = { ISOLA_URL: `http://127.0.0.1:${port}`, ISOLA_API_KEY: "isola_a_b" };
  const told = await runIsola(["projects"], { env, cwd: "/" });
  const note = `isola: this is isola ${ownVersion()}, the server is 99.1.0: `;
  assert.ok(told.stderr.startsWith(note), told.stderr);
  const silent = await runIsola(["projects", "--json"], { env, cwd: "/" });
  assert.deepEqual([silent.exitCode, silent.stderr], [0, ""]);
});
