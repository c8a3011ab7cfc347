// Starts sandboxes one after the other, and waits to be killed: `node doomed-standalone.ts <folder> <node id> <misdeed>`. The misdeed begins once there is a snapshot where it has to do with one.
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { destroyed } from "../../drivers/conformance/session.ts";
import type { RuntimeSpec } from "../../drivers/driver.ts";
import { findRuntimes } from "../../drivers/runtimes.ts";
import { type Misdeed, doubtfulStand } from "./doubtful-runsc.ts";

const [, , folder = "", nodeId = "", misdeed] = process.argv;
const root = fileURLToPath(new URL("../../../..", import.meta.url));
const [node] = (await findRuntimes({ root, python: null })) as [RuntimeSpec];
const stand = await doubtfulStand(folder, nodeId);
const driver = await stand.driver("earlier");
await driver.probe();
if (misdeed !== "hangs at restore") stand.misbehave(misdeed as Misdeed);
for (;;) {
  const session = await stand.start(driver, node);
  if (session.sandbox.startedFrom === "snapshot") process.stdout.write("restored\n");
  if (stand.snapshots().some((name) => !name.startsWith("making-")))
    stand.misbehave(misdeed as Misdeed);
  await delay(200);
  if (misdeed === "hangs at restore") await destroyed(session);
}
