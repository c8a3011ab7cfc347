import { skipGvisor } from "../../src/drivers/gvisor/testing/gvisor-stand.ts";
import { chosen } from "./chosen.ts";
import { deadlineSuite } from "./suite.ts";

/** All of them run without an engine, and on docker with one; here too with `GVISOR_TESTS=whole`. */
const isWhole = process.env.GVISOR_TESTS === "whole";

deadlineSuite("gvisor", {
  skip: skipGvisor,
  turns: isWhole ? 10 : 3,
  ...(isWhole ? {} : { chosen }),
});
