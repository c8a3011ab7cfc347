import { skipDocker } from "../../src/drivers/docker/testing/docker-stand.ts";
import { deadlineSuite } from "./suite.ts";

deadlineSuite("process");
deadlineSuite("docker", { skip: skipDocker });
