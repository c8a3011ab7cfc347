import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { systemClock } from "../domain/clock.ts";
import { openSqliteStore } from "../store/sqlite/open-sqlite-store.ts";
import { ensureAdminKey } from "./admin-key.ts";
import { Authenticator } from "./authenticator.ts";

async function openFolder(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), "isola-auth-"));
  const store = await openSqliteStore({ path: join(dir, "isola.db") });
  t.after(async () => {
    await store.close();
    await rm(dir, { recursive: true });
  });
  const authenticator = new Authenticator({ store, clock: systemClock, onProblem() {} });
  t.after(() => authenticator.close());
  return { dir, store, authenticator, ensure: () => ensureAdminKey(store, dir, systemClock) };
}

describe("the admin key", () => {
  test("is made at the first start alone, told once, and kept for its owner only", async (t) => {
    const { dir, authenticator, ensure } = await openFolder(t);
    const made = await ensure();
    assert.ok(made !== null);
    assert.equal(made.path, join(dir, "admin-key"));
    assert.equal(await readFile(made.path, "utf8"), `${made.key}\n`);
    assert.equal((await stat(made.path)).mode & 0o777, 0o600);
    assert.deepEqual((await authenticator.authenticate(`Bearer ${made.key}`)).scopes, ["admin"]);
    assert.equal(await ensure(), null);
    const files = await readdir(dir);
    assert.deepEqual(
      files.filter((name) => name.startsWith("admin-key")),
      ["admin-key"],
    );
  });

  test("is made anew where the file is lost, spoilt, or names a key that no longer works", async (t) => {
    const { store, ensure } = await openFolder(t);
    const first = await ensure();
    assert.ok(first !== null);
    await rm(first.path);
    const second = await ensure();
    assert.ok(second !== null && second.key !== first.key);
    await writeFile(second.path, "spoilt");
    const third = await ensure();
    assert.ok(third !== null);
    await store.revokeKey(third.key.split("_")[1] as string);
    const fourth = await ensure();
    assert.ok(fourth !== null);
    assert.equal((await store.listKeys()).length, 4);
    assert.equal(await ensure(), null);
  });
});

describe("a key", () => {
  test("leaves only the digest of its secret in the store, and notes its last use", async (t) => {
    const { dir, store, authenticator, ensure } = await openFolder(t);
    const made = await ensure();
    const [, id, secret] = made?.key.split("_") ?? [];
    assert.match(secret ?? "", /^[0-9a-f]{64}$/);
    const row = await store.getKey(id as string);
    assert.equal(row?.lastUsedAt, null);
    assert.ok(!JSON.stringify(row).includes(secret as string));
    const before = Date.now();
    await authenticator.authenticate(`Bearer ${made?.key}`);
    await authenticator.close();
    const used = (await store.getKey(id as string))?.lastUsedAt ?? 0;
    assert.ok(used >= before && used <= Date.now());
    const database = await readFile(join(dir, "isola.db"));
    assert.ok(!database.includes(secret as string));
  });

  test("stops working the moment it is revoked or expires", async (t) => {
    const { store, ensure } = await openFolder(t);
    const made = await ensure();
    let now = Date.now();
    const clock = { ...systemClock, wall: () => now };
    const authenticator = new Authenticator({ store, clock, onProblem() {} });
    t.after(() => authenticator.close());
    const header = `Bearer ${made?.key}`;
    await authenticator.authenticate(header);
    await store.revokeKey(made?.key.split("_")[1] as string);
    await assert.rejects(authenticator.authenticate(header), { code: "unauthenticated" });
    const again = await ensure();
    const { secretHash = "" } = (await store.getKey(again?.key.split("_")[1] as string)) ?? {};
    const secret = again?.key.split("_")[2];
    const expiresAt = now + 1000;
    const rights = { scopes: ["read" as const], project: null };
    await store.createKey({ id: "soon", name: "soon", ...rights, secretHash, expiresAt });
    await authenticator.authenticate(`Bearer isola_soon_${secret}`);
    now = expiresAt;
    await assert.rejects(authenticator.authenticate(`Bearer isola_soon_${secret}`), /expired/);
  });
});
