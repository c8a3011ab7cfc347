import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { type SuiteDriver, containerConformance } from "./testing/container-conformance.ts";
import { machine } from "./testing/docker-stand.ts";

const driver: SuiteDriver = {
  ...{ name: "docker", machine },
  make: (settings, bootId) => lazyDriver("docker", settings, bootId),
  script: fileURLToPath(new URL("../../keeper/testing/doomed-server.ts", import.meta.url)),
};

await containerConformance(driver, [
  { title: "docker", isRemote: false },
  { title: "docker on another machine", isRemote: true },
]);
