import { Type } from "../../protocol/src/frames.mjs";
import { describe, failurePayload } from "./failure.mjs";
import { endProcess } from "./session.mjs";

const EXIT_UNCAUGHT = 71;
/** How long a host that does not read can hold up the end. */
const FLUSH_MS_MAX = 1000;

/**
 * Ends the process after an exception or a rejection that nothing handled: what the code's state is then nobody knows. The invocation in
 * whose context it happened is answered with it; if that has ended, or there is none, the log tells. Code that listens itself decides
 * itself, as in Node.
 * @param {import("./session.mjs").Session} session @param {import("./logs.mjs").Logs} logs
 * @param {() => boolean} isLoading whether it would be the loading of the code that has failed
 */
export function installFatal(session, logs, isLoading) {
  let isEnding = false;
  const end = () => endProcess(EXIT_UNCAUGHT);
  const onUncaught = (/** @type {string} */ name, /** @type {unknown} */ thrown) => {
    if (process.listenerCount(name) > 1) return;
    const invocation = logs.context.getStore();
    const { type, message, stack } = describe(thrown);
    const what = name === "unhandledRejection" ? "unhandled rejection" : "uncaught exception";
    logs.say("error", invocation?.stream ?? 0, `${what}: ${stack || `${type}: ${message}`}`);
    if (invocation !== undefined) invocation.fail("function_error", thrown);
    else if (isLoading())
      session.writer.frame(Type.ERROR, 0, 0, failurePayload("init_failed", thrown, `${what}: `));
    if (isEnding) return;
    isEnding = true;
    logs.endLines(null);
    session.writer.flush();
    session.control.drained(end);
    setTimeout(end, FLUSH_MS_MAX);
  };
  process.on("uncaughtException", (error) => onUncaught("uncaughtException", error));
  process.on("unhandledRejection", (reason) => onUncaught("unhandledRejection", reason));
  process.on("exit", () => logs.endAll());
}
