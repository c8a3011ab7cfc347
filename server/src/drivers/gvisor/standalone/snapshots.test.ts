import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Session, destroyed } from "../../conformance/session.ts";
import type { RuntimeSpec } from "../../driver.ts";
import { findRuntimes } from "../../runtimes.ts";
import {
  type DoubtfulStand,
  type Misdeed,
  doubtfulStand,
} from "../../../keeper/testing/doubtful-runsc.ts";
import { skipStandalone } from "../testing/standalone-stand.ts";
import type { StandaloneDriver } from "./standalone-driver.ts";

const HANG_MS = 60_000;
const doomed = fileURLToPath(
  new URL("../../../keeper/testing/doomed-standalone.ts", import.meta.url),
);
const code = {
  "index.mjs": `
import { readdirSync, writeSync } from "node:fs";
export const handler = (event) => {
  writeSync(1, "to-one;");
  writeSync(2, "to-two;");
  return { event, tmp: readdirSync("/tmp"), task: readdirSync("/var/task"), env: Object.keys(process.env) };
};`,
};

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (const giveUp = AbortSignal.timeout(HANG_MS); !isSo(); await delay(20))
    assert(!giveUp.aborted, `never: ${what}`);
}

describe("a snapshot of a gVisor sandbox", { skip: skipStandalone }, async () => {
  const root = fileURLToPath(new URL("../../../../..", import.meta.url));
  const runtimes = await findRuntimes({ root, python: null });
  const [node] = runtimes as [RuntimeSpec];
  const folder = mkdtempSync(join(tmpdir(), "isola-gvisor-snapshots-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** A stand without snapshots; at the end nothing of its node may be left. */
  async function opened(t: TestContext, more?: { snapshotsMiBMax?: number }) {
    const stand = await doubtfulStand(folder);
    rmSync(stand.snapshotsFolder, { recursive: true, force: true });
    const driver = await stand.driver("this", more);
    t.after(async () => {
      await driver.close();
      stand.close();
      assert.deepEqual(await stand.leftovers(), []);
    });
    return { stand, driver };
  }

  /** The first start, and the snapshot that is taken beside it, or could not be. */
  async function first(stand: DoubtfulStand, driver: StandaloneDriver): Promise<void> {
    const session = await stand.start(driver, node);
    assert.equal(session.sandbox.startedFrom, "boot");
    const isTried = () =>
      stand.problems.some((each) => each.startsWith("no snapshot")) ||
      stand.snapshots().some((name) => !name.startsWith("making-"));
    await until(isTried, "a snapshot");
    await destroyed(session);
  }

  /** It serves a function, and what that writes comes as from any other. */
  async function serves(session: Session): Promise<void> {
    await session.init(code, "index.handler");
    const { tmp, env, ...answer } = await session.invoke<Record<string, string[]>>("e");
    assert.deepEqual(answer, { event: "e", task: ["index.mjs"] });
    assert.deepEqual(tmp, []);
    assert.equal(
      env?.some((name) => name.startsWith("ISOLA_GATE") || name.includes("RESEED")),
      false,
    );
    await session.said("to-one;");
    await session.said("to-two;");
    await destroyed(session);
  }

  test("is taken beside the first start, and the next one goes on from it, in this life and another", async (t) => {
    const { stand, driver } = await opened(t);
    await first(stand, driver);
    const session = await stand.start(driver, node);
    assert.equal(session.sandbox.startedFrom, "snapshot");
    await serves(session);
    await driver.close();
    const next = await stand.driver("next");
    const again = await stand.start(next, node);
    assert.equal(again.sandbox.startedFrom, "snapshot");
    await serves(again);
    await next.close();
    assert.deepEqual(
      stand.problems.filter((each) => !each.startsWith("making the image")),
      [],
    );
    assert.deepEqual(stand.deeds().toSorted(), [
      ...["checkpoint", "restore", "restore", "restore", "run", "run"],
    ]);
  });

  test("is taken beside what is made ahead as well, which boots all the same", async (t) => {
    const { stand, driver } = await opened(t);
    for (let at = 0; at < 2; at += 1) {
      const session = await stand.start(driver, node, { isAhead: true });
      assert.equal(session.sandbox.startedFrom, "boot");
      await until(() => stand.snapshots().some((name) => !name.startsWith("making-")), "it");
      await serves(session);
    }
  });

  for (const [what, damage] of [
    ["changed", (path: string) => writeFileSync(path, "rubbish")],
    ["cut off", (path: string) => truncateSync(path, 1000)],
    ["removed", (path: string) => rmSync(path)],
  ] as const)
    test(`that was ${what} on disk is not used and taken anew, and the start boots`, async (t) => {
      const { stand, driver } = await opened(t);
      await first(stand, driver);
      const [name = ""] = stand.snapshots();
      damage(join(stand.snapshotsFolder, name, "pages.img"));
      const session = await stand.start(driver, node);
      assert.equal(session.sandbox.startedFrom, "boot");
      await serves(session);
      await until(() => stand.deeds().filter((deed) => deed === "checkpoint").length === 2, "anew");
      await until(() => stand.snapshots().some((each) => !each.startsWith("making-")), "anew");
      const again = await stand.start(driver, node);
      assert.equal(again.sandbox.startedFrom, "snapshot");
      await destroyed(again);
    });

  test("that does not restore is removed and told, and the start boots with the same streams", async (t) => {
    const { stand, driver } = await opened(t);
    await first(stand, driver);
    stand.misbehave("cannot restore");
    const session = await stand.start(driver, node);
    assert.equal(session.sandbox.startedFrom, "boot");
    await serves(session);
    assert.match(
      stand.problems.join(),
      /a snapshot of nodejs\d+ is removed: it ended with status 128/,
    );
  });

  test("is told with the words of runsc where that cannot read it", async (t) => {
    const { stand, driver } = await opened(t);
    await first(stand, driver);
    const [name = ""] = stand.snapshots();
    // As if it had been written like that.
    const path = join(stand.snapshotsFolder, name);
    writeFileSync(join(path, "checkpoint.img"), "rubbish");
    const manifest = JSON.parse(readFileSync(join(path, "manifest.json"), "utf8"));
    for (const file of manifest.files) {
      if (file.name !== "checkpoint.img") continue;
      file.bytes = "rubbish".length;
      file.sha256 = createHash("sha256").update("rubbish").digest("hex");
    }
    writeFileSync(join(path, "manifest.json"), JSON.stringify(manifest));
    await driver.close();
    const next = await stand.driver("next");
    const session = await stand.start(next, node);
    assert.equal(session.sandbox.startedFrom, "boot");
    await serves(session);
    await next.close();
    assert.match(stand.problems.join(), /is removed: it ended with status 128: .*\w/);
  });

  test("that cannot be taken is told, leaves nothing, and starts boot", async (t) => {
    const { stand, driver } = await opened(t);
    await driver.probe();
    stand.misbehave("cannot checkpoint");
    await first(stand, driver);
    assert.match(
      stand.problems.join(),
      /no snapshot of nodejs\d+: runsc checkpoint ended with status 128 no use/,
    );
    assert.deepEqual(stand.snapshots(), []);
    const session = await stand.start(driver, node);
    assert.equal(session.sandbox.startedFrom, "boot");
    await serves(session);
  });

  test("that was seen not to go on is not kept", async (t) => {
    const { stand, driver } = await opened(t);
    await driver.probe();
    stand.misbehave("cannot restore");
    await first(stand, driver);
    assert.match(stand.problems.join(), /no snapshot of nodejs\d+: it ended with status 128/);
    assert.deepEqual(stand.snapshots(), []);
  });

  test("is not taken where a sandbox that was tried did not go on, or nobody wants any", async (t) => {
    const { stand, driver } = await opened(t);
    stand.misbehave("cannot restore at all");
    const { isAvailable, versions } = await driver.probe();
    assert.equal(isAvailable, true);
    assert.match(String(versions.snapshots), /^no: it ended with status 128/);
    await serves(await stand.start(driver, node));
    const none = await stand.driver("none", { snapshotsMiBMax: 0 });
    assert.equal((await none.probe()).versions.snapshots, "no: gvisorSnapshotsMiBMax is 0");
    await serves(await stand.start(none, node));
    await none.close();
    await delay(500);
    assert.deepEqual([stand.snapshots(), stand.deeds()], [[], ["run", "run"]]);
  });

  test("that hangs is given up with the start, and stays for the next", async (t) => {
    const { stand, driver } = await opened(t);
    await first(stand, driver);
    stand.misbehave("hangs at restore");
    const giveUp = new AbortController();
    const start = stand.start(driver, node, { signal: giveUp.signal });
    // The first one was to see that it goes on.
    await until(() => stand.deeds().filter((deed) => deed === "restore").length === 2, "another");
    giveUp.abort();
    await assert.rejects(start, { code: "sandbox_start_failed", message: /given up/ });
    stand.misbehave("none");
    const session = await stand.start(driver, node);
    assert.equal(session.sandbox.startedFrom, "snapshot");
    await destroyed(session);
  });

  for (const [when, misdeed, deed] of [
    ["while a snapshot is taken", "hangs at checkpoint", "checkpoint"],
    ["while a sandbox is restored", "hangs at restore", "restore"],
    ["with restored sandboxes", "none", "restored"],
  ] as const satisfies [string, Misdeed, string][])
    test(`a server that is killed ${when} leaves nothing that the next life does not find`, async (t) => {
      const { stand } = await opened(t);
      const child = spawn(process.execPath, [doomed, folder, stand.nodeId, misdeed], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
      await until(() => (deed === "restored" ? said : stand.deeds().join()).includes(deed), deed);
      child.kill("SIGKILL");
      await once(child, "exit");
      assert.notDeepEqual(await stand.leftovers(), []);
      const next = await stand.driver("next");
      await next.sweep();
      assert.deepEqual(await stand.leftovers(), []);
      await next.close();
    });
});
