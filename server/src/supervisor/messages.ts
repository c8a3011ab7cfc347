import type { Boot, Config } from "../config.ts";
import type { ErrorCode } from "../errors.ts";

/** From the supervisor to a role, over the IPC channel of the child process: its life, nothing else. */
export type ToRole =
  | { type: "start"; config: Config; boot: Omit<Boot, "log"> }
  /** Answered at once by `pong`: the event loop turns. */
  | { type: "ping" }
  | { type: "drain" }
  | { type: "close" };

export type FromRole =
  | { type: "ready"; address: { host: string; port: number } }
  /** The role could not start and is about to exit. */
  | { type: "failed"; code: ErrorCode; message: string }
  | { type: "drained" }
  | { type: "pong" };
