import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { IsolaError } from "./errors.ts";

/**
 * Every place where a test can make a process fail, and how the place is passed: an `async` one is awaited, a `sync` one is not and cannot be delayed.
 * `server/test/recovery/fail-points.test.ts` holds that each stands in the sources and is reached by a test.
 */
export const failPoints = {
  /** The upload's spool file has a name still. */
  "spool.named": "async",
  /** The artifact is in `tmp/`, synced. */
  "artifact.written": "async",
  /** It has its final name, and no revision yet. */
  "artifact.renamed": "async",
  /** The sandbox has answered; nothing of it is kept. */
  "build.made": "async",
  /** The layer is an artifact, and the store does not know it. */
  "build.kept": "async",
  /** Of a create, an update or a rollback, as all `deploy` points. */
  "deploy.before-commit": "async",
  /** Within the transaction: the revision is there, `live` does not point to it. Not of a rollback. */
  "deploy.inserted": "async",
  "deploy.committed": "async",
  /** The gateway has confirmed; the API has not answered. */
  "deploy.published": "async",
  "delete.committed": "async",
  "delete.published": "async",
  /** The gateway has heard of a change and done nothing yet. */
  "apply.received": "sync",
  /** New calls see the change; the control plane does not know. */
  "apply.applied": "sync",
  /** A blank sandbox belongs to a revision and holds nothing of it. */
  "claim.before-init": "async",
  "claim.initialised": "async",
  /** The event is on its way into the sandbox. */
  "call.sent": "sync",
  /** The sandbox has begun to answer. */
  "call.head": "sync",
  /** A due moment is about to be run, and nothing says so. */
  "schedule.due": "async",
  /** The store knows that it is run; the gateway does not. */
  "schedule.begun": "async",
  /** It has been run; the store does not know how it ended. */
  "schedule.ended": "async",
  "records.stored": "async",
  "records.before-ack": "async",
} as const satisfies Record<string, "sync" | "async">;

export type FailPoint = keyof typeof failPoints;

type PointOf<How> = {
  [Name in FailPoint]: (typeof failPoints)[Name] extends How ? Name : never;
}[FailPoint];

type Action =
  | { kind: "kill" }
  | { kind: "exit" }
  /** Blocks the event loop; `null`: for ever. */
  | { kind: "hang"; ms: number | null }
  /** SIGSTOP: until somebody sends SIGCONT. */
  | { kind: "stop" }
  | { kind: "error"; code: string }
  | { kind: "delay"; ms: number };

interface Armed {
  action: Action;
  /** Which passing it is for; null: every one. */
  turn: number | null;
  passed: number;
}

export const FAIL_POINTS_VARIABLE = "ISOLA_FAIL_POINTS";
const MS_MAX = 600_000;
const actionWords = "kill, exit, stop, hang, hang:<ms>, delay:<ms> or error:<errno>";

/** Of this process. Passing a point has no way to be handed an argument: the points lie at the bottom of every layer. null: none, and passing costs a comparison. */
let armed: ReadonlyMap<FailPoint, Armed> | null = null;

/**
 * Puts the points of a text in force: `deploy.committed=kill;artifact.written=error:ENOSPC@3`, where `@3` means the third passing alone. Returns
 * what a log should shout, null without any. Throws `invalid_settings`.
 */
export function armFailPoints(text: string | undefined): string | null {
  if (text === undefined || text.trim() === "") {
    armed = null;
    return null;
  }
  armed = new Map(text.split(";").map(parseEntry));
  return `THIS PROCESS IS MADE TO FAIL: ${FAIL_POINTS_VARIABLE}=${text} is for tests only`;
}

/** Passes a point that is awaited. Most often nothing happens. */
export function failPoint(name: PointOf<"async">): Promise<void> | undefined {
  return armed === null ? undefined : pass(armed, name);
}

/** Passes a point where nothing can be awaited. */
export function failPointNow(name: PointOf<"sync">): void {
  if (armed !== null) void pass(armed, name);
}

function pass(points: ReadonlyMap<FailPoint, Armed>, name: FailPoint): Promise<void> | undefined {
  const entry = points.get(name);
  if (entry === undefined) return undefined;
  entry.passed += 1;
  if (entry.turn !== null && entry.turn !== entry.passed) return undefined;
  return carryOut(name, entry.action);
}

function carryOut(name: FailPoint, action: Action): Promise<void> | undefined {
  switch (action.kind) {
    case "kill":
      process.kill(process.pid, "SIGKILL");
      return undefined;
    case "stop":
      process.kill(process.pid, "SIGSTOP");
      return undefined;
    case "exit":
      return process.exit(1);
    case "hang":
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, action.ms ?? Infinity);
      return undefined;
    case "delay":
      return delay(action.ms);
    case "error":
      throw Object.assign(new Error(`${action.code} at the fail point ${name}`), {
        code: action.code,
      });
  }
}

function parseEntry(text: string): [FailPoint, Armed] {
  const [, name = "", what = "", turn] = /^\s*([\w.-]+)=([\w:]+)(?:@(\d+))?\s*$/.exec(text) ?? [];
  if (!Object.hasOwn(failPoints, name)) throw wrong(text, Object.keys(failPoints).join(", "));
  const point = name as FailPoint;
  const action = parseAction(what);
  if (action === null) throw wrong(text, actionWords);
  if (action.kind === "delay" && failPoints[point] === "sync")
    throw wrong(text, "something else than a delay, which nothing awaits at this point");
  return [point, { action, turn: turn === undefined ? null : Number(turn), passed: 0 }];
}

function parseAction(text: string): Action | null {
  const [kind, value] = text.split(":");
  if (value === undefined) {
    if (kind === "hang") return { kind, ms: null };
    return kind === "kill" || kind === "exit" || kind === "stop" ? { kind } : null;
  }
  if (kind === "error") return value in constants.errno ? { kind, code: value } : null;
  if (kind !== "hang" && kind !== "delay") return null;
  const ms = Number(value);
  return Number.isInteger(ms) && ms >= 0 && ms <= MS_MAX ? { kind, ms } : null;
}

function wrong(given: string, expected: string): IsolaError {
  const details = [{ path: FAIL_POINTS_VARIABLE, expected, given }];
  const message = `${FAIL_POINTS_VARIABLE}: expected ${expected}, given ${given}`;
  return new IsolaError("invalid_settings", message, { details });
}
