import type { Outcome } from "../domain/invocation.ts";
import type { ErrorCode } from "../errors.ts";
import { outcomeOf } from "./verdict.ts";

/** What became of a call: `open -> decided`, once, by compare and set. */
export class Decision {
  /** null: still open. */
  outcome: Outcome | null = null;
  /** Monotonic ms; the caller is answered then. */
  at = 0;
  error: { code: ErrorCode; message: string } | null = null;

  /** As `make`, for a call that has failed. */
  fail(code: ErrorCode, message: string, nowMs: number): boolean {
    return this.make(outcomeOf(code), nowMs, { code, message });
  }

  /** True for the one that decides. */
  make(outcome: Outcome, nowMs: number, error: Decision["error"] = null): boolean {
    if (this.outcome !== null) return false;
    this.outcome = outcome;
    this.at = nowMs;
    this.error = error;
    return true;
  }
}
