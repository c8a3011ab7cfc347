import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyRow } from "../store.ts";
import { openFor, refusal, type OpenStore } from "./fixture.ts";

const DAY_MS = 86_400_000;

export function keyCases(open: OpenStore): void {
  const given = {
    id: "k1",
    name: "deploys",
    scopes: ["deploy", "read"] as KeyRow["scopes"],
    project: null,
    secretHash: "c".repeat(64),
    expiresAt: null,
  };

  test("a key is kept, found and listed as it was given", async (t) => {
    const { store, clock } = await openFor(t, open);
    const key = await store.createKey(given);
    assert.deepEqual(key, {
      ...given,
      createdAt: clock.wall(),
      lastUsedAt: null,
      revokedAt: null,
    });
    assert.deepEqual(await store.getKey("k1"), key);
    assert.equal(await store.getKey("k2"), null);
    clock.stepMs(1);
    await store.createKey({ ...given, id: "a2", expiresAt: 5 });
    assert.deepEqual(
      (await store.listKeys()).map(({ id, expiresAt }) => [id, expiresAt]),
      [
        ["k1", null],
        ["a2", 5],
      ],
    );
    await assert.rejects(store.createKey(given), refusal("conflict", /"k1"/));
  });

  test("a revoked key keeps the time of its first revocation", async (t) => {
    const { store, clock } = await openFor(t, open);
    await store.createKey(given);
    const at = clock.wall();
    assert.equal((await store.revokeKey("k1")).revokedAt, at);
    clock.stepMs(9);
    assert.equal((await store.revokeKey("k1")).revokedAt, at);
    await assert.rejects(store.revokeKey("k2"), refusal("not_found", /"k2"/));
  });

  test("the last use of a key only moves forward, and unknown keys are passed over", async (t) => {
    const { store } = await openFor(t, open);
    await store.createKey(given);
    await store.touchKeys(
      new Map([
        ["k1", 50],
        ["gone", 50],
      ]),
    );
    await store.touchKeys(new Map([["k1", 40]]));
    assert.equal((await store.getKey("k1"))?.lastUsedAt, 50);
    await store.touchKeys(new Map([["k1", 60]]));
    assert.equal((await store.getKey("k1"))?.lastUsedAt, 60);
  });

  test("an answer is kept per key for a day, and the first one stands", async (t) => {
    const { store, clock } = await openFor(t, open);
    const answer = { requestHash: "h", status: 201, body: '{"a":1}' };
    assert.equal(await store.getIdempotent("k1", "once"), null);
    await store.putIdempotent("k1", "once", answer);
    await store.putIdempotent("k1", "once", { ...answer, status: 500 });
    assert.deepEqual(await store.getIdempotent("k1", "once"), answer);
    assert.equal(await store.getIdempotent("k2", "once"), null);
    clock.stepMs(DAY_MS - 1);
    assert.deepEqual(await store.getIdempotent("k1", "once"), answer);
    clock.stepMs(1);
    assert.equal(await store.getIdempotent("k1", "once"), null);
    await store.putIdempotent("k1", "once", { ...answer, status: 200 });
    assert.equal((await store.getIdempotent("k1", "once"))?.status, 200);
  });
}
