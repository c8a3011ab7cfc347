import { findRuntimes } from "../server/src/drivers/runtimes.ts";
import { testView } from "../server/src/drivers/testing/test-guest.ts";
import { GuestImages } from "../server/src/images/guest/guest-images.ts";
import { root } from "./pinned-node.mjs";

// The guests that tests need, in the folder that is named. What is there already is left alone, what is of an earlier version goes.
const folder = process.argv[2];
if (folder === undefined) throw new Error("expected the folder of the guests");
const images = new GuestImages({ folder, kernel: null, kernelSource: null, view: testView() });
const say = (line: string) => void process.stderr.write(`  ${line}\n`);
const runtimes = await findRuntimes({ root, python: null });
for (const runtime of runtimes) await images.ensure(runtime, say);
await images.prune(runtimes);
