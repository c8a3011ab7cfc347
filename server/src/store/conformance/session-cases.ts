import assert from "node:assert/strict";
import { test } from "node:test";
import { openFor, type OpenStore } from "./fixture.ts";

export function sessionCases(open: OpenStore): void {
  const given = { tokenHash: "a".repeat(64), keyId: "k1", createdAt: 1000, expiresAt: 2000 };

  test("a session is kept, only ever extended, and deleted", async (t) => {
    const { store } = await openFor(t, open);
    await store.createSession(given);
    assert.deepEqual(await store.getSession(given.tokenHash), given);
    await store.extendSession(given.tokenHash, 1500);
    assert.equal((await store.getSession(given.tokenHash))?.expiresAt, 2000);
    await store.extendSession(given.tokenHash, 3000);
    assert.equal((await store.getSession(given.tokenHash))?.expiresAt, 3000);
    await store.deleteSession(given.tokenHash);
    await store.deleteSession(given.tokenHash);
    assert.equal(await store.getSession(given.tokenHash), null);
  });

  test("sessions that have ended go when one is made, and a thousand is the most", async (t) => {
    const { store } = await openFor(t, open);
    await store.createSession(given);
    for (let at = 0; at < 1001; at += 1) {
      const session = { tokenHash: `b${at}`, keyId: "k1", createdAt: 2000, expiresAt: 5000 + at };
      await store.createSession(session);
    }
    assert.equal(await store.getSession(given.tokenHash), null);
    assert.equal(await store.getSession("b0"), null);
    assert.equal((await store.getSession("b1"))?.expiresAt, 5001);
    assert.equal((await store.getSession("b1000"))?.expiresAt, 6000);
  });
}
