// Starts one sandbox with a program in QEMU's place, and waits to be killed: `node doomed-driver.ts <misdeed> <node id> <folder>`.
import type { Misdeed } from "./fake-qemu.ts";
import { fakeStand, openEnds, specOf } from "./fake-stand.ts";

const [, , misdeed, nodeId = "", folder = ""] = process.argv;
const { ends } = await openEnds(folder);
const driver = fakeStand(misdeed as Misdeed, nodeId, folder).driver("earlier");
await driver.start(specOf(), ends, AbortSignal.timeout(600_000));
setInterval(() => {}, 1000);
