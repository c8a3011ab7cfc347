import { containerConformance } from "./testing/container-conformance.ts";
import { machine } from "./testing/docker-stand.ts";

const leavesOut = { "missing-runtime": "the interpreter is the image's, not a file of the host" };
await containerConformance("docker", machine, [
  { title: "docker", without: [], leavesOut },
  { title: "docker through the engine alone", without: ["cgroups"], leavesOut },
]);
