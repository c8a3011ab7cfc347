import { skipGvisor } from "../../src/drivers/gvisor/testing/gvisor-stand.ts";
import { deadlineSuite } from "./suite.ts";

deadlineSuite("gvisor", { skip: skipGvisor, turns: 10 });
