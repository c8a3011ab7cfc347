import assert from "node:assert/strict";
import { test } from "node:test";
import { openControlPlane } from "./control-plane.fixture.ts";

test("the reference is called Isola API, offers no tools of others, and says where the key is", async (t) => {
  const { app } = await openControlPlane(t);
  const page = await app.inject("/docs/");
  assert.match(page.body, /<title>Isola API<\/title>/);
  assert.match(page.body, /"showDeveloperTools": ?"never"/);
  const openApi = (await app.inject("/openapi.json")).json();
  assert.match(openApi.info.description, /`admin-key` of the server's data folder/);
  assert.equal(openApi.servers[0].url, "/");
});

test("the JSON Schema of isola.yaml is answered without a key", async (t) => {
  const { app } = await openControlPlane(t);
  const schema = (await app.inject("/isola.schema.json")).json();
  const { memoryMiB } = schema.properties.functions.additionalProperties.properties;
  assert.equal(memoryMiB.default, 128);
  assert.match(memoryMiB.description, /Memory/);
});
