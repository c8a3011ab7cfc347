import assert from "node:assert/strict";
import { linkSync, mkdirSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SLOWNESS, isWhole, skipMicrovm } from "../../src/drivers/microvm/testing/microvm-stand.ts";
import { chosen } from "./chosen.ts";
import { type DeadlineStand, deadlineSuite } from "./suite.ts";

const SNAPSHOT_MS_MAX = 150_000;
const runtimes = ["nodejs", "python"] as const;
const code = {
  nodejs: { "index.mjs": "export const handler = () => 'ok';" },
  python: { "app.py": "def handler(event, context):\n    return 'ok'\n" },
};

deadlineSuite("microvm", {
  skip: skipMicrovm,
  slowness: SLOWNESS,
  turns: 3,
  ...(isWhole ? {} : { chosen }),
  settings: { queueTimeoutMs: 60_000, initTimeoutMs: 60_000 },
  prepare: provideGuests,
  warmUp: takeSnapshots,
});

/** The guests and snapshots of the tests as the server's own, by hard links: what it makes anew is its own alone. */
function provideGuests(dataDir: string): void {
  const from = process.env.VM_GUEST_FOLDER as string;
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const place = relative(from, entry.parentPath);
    // Half made ones are another's.
    if (!entry.isFile() || /(^|\/)(\.|making-)/.test(place)) continue;
    mkdirSync(join(dataDir, "vm", place), { recursive: true, mode: 0o700 });
    linkSync(join(entry.parentPath, entry.name), join(dataDir, "vm", place, entry.name));
  }
}

/** So that no case shares the machine with one that boots for a snapshot. */
async function takeSnapshots(stand: DeadlineStand): Promise<void> {
  for (const runtime of runtimes) {
    await stand.deploy(runtime, code[runtime], { runtime, afterResponse: "kill" });
    for (const giveUp = AbortSignal.timeout(SNAPSHOT_MS_MAX); ; ) {
      assert(!giveUp.aborted, `no snapshot was taken for ${runtime}`);
      const answer = await stand.server.call(`/${runtime}`);
      const record = await stand.recordOf(answer.headers.get("isola-request-id"));
      if (record.startKind === "restored") break;
      await delay(1000);
    }
  }
}
