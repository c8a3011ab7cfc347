import { skipMicrovm } from "../../src/drivers/microvm/testing/microvm-stand.ts";
import { deadlineSuite } from "./suite.ts";

deadlineSuite("microvm", skipMicrovm);
