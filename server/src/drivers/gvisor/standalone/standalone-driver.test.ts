import { rmSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../../keeper/testing/lazy-driver.ts";
import { leftOut } from "../../conformance/left-out.ts";
import { driverConformance } from "../../conformance.ts";
import { findRuntimes } from "../../runtimes.ts";
import { newStand, skipStandalone } from "../testing/standalone-stand.ts";

const root = fileURLToPath(new URL("../../../../..", import.meta.url));
const script = fileURLToPath(new URL("../../../keeper/testing/doomed-server.ts", import.meta.url));

if (skipStandalone !== false) test("gVisor without an engine is tested", { skip: skipStandalone });
else {
  const { settings, stateDir, leftovers } = newStand("standalone");
  after(() => rmSync(stateDir, { recursive: true }));
  driverConformance("gvisor without an engine", {
    makeDriver: (bootId) => lazyDriver("gvisor", settings, bootId),
    startElsewhere: { script, args: (bootId) => [JSON.stringify(settings), bootId, "gvisor"] },
    runtimes: await findRuntimes({ root, python: null }),
    hasOwnImage: true,
    leftovers,
    leavesOut: leftOut["gvisor without an engine"],
  });
}
