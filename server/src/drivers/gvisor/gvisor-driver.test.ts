import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { type SuiteDriver, containerConformance } from "../docker/testing/container-conformance.ts";
import { machine } from "./testing/gvisor-stand.ts";

const driver: SuiteDriver = {
  ...{ name: "gvisor", machine },
  make: (settings, bootId) => lazyDriver("gvisor", settings, bootId),
  script: fileURLToPath(new URL("../../keeper/testing/doomed-server.ts", import.meta.url)),
};

await containerConformance(driver, [{ title: "gvisor", isRemote: false }]);
