import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { type SuiteDriver, containerConformance } from "./testing/container-conformance.ts";
import { machine } from "./testing/docker-stand.ts";

const driver: SuiteDriver = {
  ...{ name: "docker", machine },
  make: (settings, bootId) => lazyDriver("docker", settings, bootId),
  script: fileURLToPath(new URL("../../keeper/testing/doomed-server.ts", import.meta.url)),
};

const leavesOut = { "missing-runtime": "the interpreter is the image's, not a file of the host" };
const leavesOutElsewhere = {
  ...leavesOut,
  sockets: "nothing of this machine can be mounted there",
  "socket-files": "nothing of this machine can be mounted there",
  "control-socket": "its control stream is two pipes",
};
await containerConformance(driver, [
  { title: "docker", isRemote: false, leavesOut },
  { title: "docker on another machine", isRemote: true, leavesOut: leavesOutElsewhere },
]);
