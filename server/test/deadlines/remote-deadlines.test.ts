import { after } from "node:test";
import { skipDocker } from "../../src/drivers/docker/testing/docker-stand.ts";
import { EngineProxy } from "../../src/drivers/docker/testing/engine-proxy.ts";
import { dockerSettings } from "../../src/drivers/testing/docker-settings.ts";
import { deadlineSuite } from "./suite.ts";

/** The engine of the environment on a port, as if it were elsewhere. */
const proxy = new EngineProxy(dockerSettings.dockerHost, null);
await proxy.open();
after(() => proxy.goAway());

deadlineSuite("docker", { skip: skipDocker, elsewhere: proxy.host, turns: 5 });
