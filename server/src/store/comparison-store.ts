import type {
  ComparisonMachine,
  ComparisonParameters,
  ComparisonSubject,
  DriverResult,
} from "../domain/comparison.ts";
import type { Page } from "./page.ts";

/** One comparison of drivers, whatever became of it. */
export interface ComparisonRow {
  id: string;
  project: string;
  functionName: string;
  revision: number;
  state: "running" | "done" | "failed" | "cancelled";
  /** Why it failed; empty otherwise. */
  message: string;
  subject: ComparisonSubject;
  parameters: ComparisonParameters;
  machine: ComparisonMachine;
  drivers: DriverResult[];
  /** Calls of everybody else that ended meanwhile. */
  otherCalls: number;
  startedAt: number;
  endedAt: number | null;
}

export type ComparisonEnd = Pick<
  ComparisonRow,
  "state" | "message" | "drivers" | "otherCalls" | "endedAt"
>;

export interface ComparisonQuery {
  project: string;
  functionName?: string;
  cursor?: string;
  limit: number;
}

/** What the calls that reached a sandbox came to, of one function on one driver and with one revision came to. */
export interface CallTotals {
  functionName: string;
  functionId: string;
  revision: number;
  driver: string;
  calls: number;
  /** Sum over all calls of start, init and run: the time in which a sandbox was theirs. */
  busyMs: number;
  /** Sum of init and run, each call rounded up to a whole ms: what is billed where time is. */
  billedMs: number;
}

export interface CallTotalsQuery {
  project: string;
  functionName?: string;
  /** Unix ms, inclusive. */
  since: number;
  /** Exclusive. */
  until: number;
}

/** The part of the store that keeps comparisons, and what costs are computed from. */
export interface ComparisonStore {
  /** Of those that have ended the last 200 of a project are kept. */
  addComparison(comparison: ComparisonRow): Promise<void>;
  endComparison(id: string, end: ComparisonEnd): Promise<void>;
  /** Rejects with `not_found`. */
  getComparison(project: string, id: string): Promise<ComparisonRow>;
  /** Newest first. */
  listComparisons(query: ComparisonQuery): Promise<Page<ComparisonRow>>;
  /** Rejects with `not_found`. */
  deleteComparison(project: string, id: string): Promise<void>;
  /** What an earlier life left running has failed, with this message. */
  closeComparisons(message: string): Promise<void>;
  /** In no order; functions without calls are left out. */
  callTotals(query: CallTotalsQuery): Promise<CallTotals[]>;
}
