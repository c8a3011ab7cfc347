import type { LinkRequests } from "../link/messages.ts";

/** What schedules need of others; the control plane hands it in. */

/** The part of the link that runs need. */
export interface InvokeLink {
  /** The gateway runs what the store says. */
  readonly isConnected: boolean;
  request(
    kind: "invoke",
    params: LinkRequests["invoke"]["params"],
    signal: AbortSignal,
  ): Promise<LinkRequests["invoke"]["result"]>;
}

/** The part of pino that is used. */
export interface SchedulesLog {
  warn(fields: object, message: string): void;
}
