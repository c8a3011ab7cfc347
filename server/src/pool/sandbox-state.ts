import { strict as assert } from "node:assert";

/** The life of a sandbox; ARCHITECTURE.md, Sandbox life. */
export type SandboxState =
  | "starting"
  | "blank"
  | "claimed"
  | "idle"
  /** Idle, and everything inside stands still. */
  | "frozen"
  | "busy"
  | "draining"
  | "dead";

const moves: Record<SandboxState, readonly SandboxState[]> = {
  starting: ["blank", "dead"],
  blank: ["claimed", "dead"],
  claimed: ["idle", "dead"],
  idle: ["frozen", "busy", "draining", "dead"],
  frozen: ["busy", "draining", "dead"],
  busy: ["idle", "draining", "dead"],
  draining: ["dead"],
  dead: [],
};

export const sandboxStates = Object.keys(moves) as readonly SandboxState[];

/** Asserts that `from -> to` is a legal move. */
export function assertMove(from: SandboxState, to: SandboxState): void {
  assert(moves[from].includes(to), `a sandbox cannot go from ${from} to ${to}`);
}
