import { skipStandalone } from "../../src/drivers/gvisor/testing/standalone-stand.ts";
import { deadlineSuite } from "./suite.ts";

deadlineSuite("gvisor", {
  skip: skipStandalone,
  env: { ISOLA_GVISOR_MODE: "standalone" },
  way: " without an engine",
  turns: 10,
});
