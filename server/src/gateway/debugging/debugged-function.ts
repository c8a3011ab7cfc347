import type { DeployedFunction } from "../../domain/function.ts";

/** What the debugger takes beside the function: the relay, and debugpy's adapter. */
const DEBUGGER_MIB = 192;
/** Stands for a clock that does not run: longer than anybody stays at a breakpoint, and short enough for a timer. */
const SUSPENDED_MS = 86_400_000;

/** The function as it runs while it is debugged: in one sandbox, one call at a time, and no clock of it runs. */
export function debuggedFunction(fn: DeployedFunction): DeployedFunction {
  return {
    ...fn,
    settings: {
      ...fn.settings,
      memoryMiB: fn.settings.memoryMiB + DEBUGGER_MIB,
      timeoutMs: SUSPENDED_MS,
      initTimeoutMs: SUSPENDED_MS,
      queueTimeoutMs: SUSPENDED_MS,
      timeoutGraceMs: 0,
      firstByteTimeoutMs: null,
      streamIdleTimeoutMs: null,
      streamTimeoutMs: null,
      concurrency: 1,
      concurrencyTarget: null,
      minSandboxes: 1,
      maxSandboxes: 1,
      idleTimeoutMs: SUSPENDED_MS,
      afterResponse: "allow",
      onDisconnect: "continue",
    },
  };
}
