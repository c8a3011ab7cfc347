import { deadlineSuite } from "./suite.ts";

deadlineSuite("process");
deadlineSuite("docker");
