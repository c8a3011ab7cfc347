import { skipDocker } from "../../src/drivers/docker/testing/docker-stand.ts";
import { skipGvisor } from "../../src/drivers/gvisor/testing/gvisor-stand.ts";
import { deadlineSuite } from "./suite.ts";

deadlineSuite("process");
deadlineSuite("docker", skipDocker);
deadlineSuite("gvisor", skipGvisor);
