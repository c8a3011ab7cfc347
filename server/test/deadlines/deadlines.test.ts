import { deadlineSuite } from "./suite.ts";

deadlineSuite("process");
