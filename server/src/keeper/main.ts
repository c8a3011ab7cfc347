import { runKeeper } from "./keeper.ts";

/** A process of the gateway's; on its own, so that it loads little and forks fast. */
runKeeper();
