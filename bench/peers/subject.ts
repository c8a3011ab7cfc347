import type { Payload } from "../payload.ts";

/** Something that answers `GET` with `hello` and a `POST` with its own body, and whose cost is measured. */
export interface Subject {
  /** Short, a column's width. */
  name: string;
  /** What stands between a caller's code and the server, in a few words. */
  isolation: string;
  /** All processes involved are this one and those below it. */
  rootPid: number;
  /** Also those in control groups with this in their path. */
  mark?: string;
  port: number;
  path: string;
  /** Work that the last call causes is done this long after its answer. */
  settleMs: number;
  /** Whether it takes part with this payload. */
  takes(payload: Payload): boolean;
}

/** One or more processes that run until `close`. */
export interface Peer {
  subjects: Subject[];
  close(): Promise<void>;
}
