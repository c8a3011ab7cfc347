import type { DriverName } from "../domain/function.ts";
import type {
  DestroyReason,
  DestroyReport,
  DriverProbe,
  RuntimeSpec,
  SandboxExit,
  SandboxLimits,
  SandboxSpec,
  SandboxUsage,
  StartedFrom,
  StreamName,
  SweepReport,
} from "../drivers/driver.ts";
import type { ErrorCode } from "../errors.ts";

/** What the gateway and its keeper say to each other, over the IPC channel of the child process. */

/** What a keeper needs to know once. */
export interface KeeperSettings {
  nodeId: string;
  /** Of this life of the keeper; its sandboxes carry it. */
  bootId: string;
  /** A private folder of this server. */
  stateDir: string;
  acceptNoIsolation: boolean;
  /** As `DOCKER_HOST`. */
  dockerHost: string;
  /** Base images that the operator chose, by family. */
  dockerBases: Record<RuntimeSpec["family"], string | null>;
  gvisor: GvisorSettings;
  microvm: MicrovmSettings;
  /** Addresses and ranges that sandboxes with a network may reach although they are private. */
  egressAllowed: readonly string[];
  /** Name servers of such sandboxes; empty: the machine's. */
  egressResolvers: readonly string[];
  /** Where the gateway awaits the streams of sandboxes. */
  streamsPath: string;
  /** Techniques left out although the machine has them; for tests of the others. */
  without?: readonly ("bubblewrap" | "cgroups" | "kvm")[];
}

/** Of the driver `gvisor`. */
export interface GvisorSettings {
  mode: "auto" | "engine" | "standalone";
  /** The engine's runtime, by its name there; null: the one that is found. */
  runtime: string | null;
  /** Without an engine: the program; null: the system's. */
  runsc: string | null;
  platform: "auto" | "systrap" | "kvm" | "ptrace";
  /** Without an engine: where images and snapshots are kept from life to life. */
  keptDir: string;
  /** Disk space of all its snapshots together; 0: none are taken. */
  snapshotsMiBMax: number;
}

/** Of the driver `microvm`. */
export interface MicrovmSettings {
  /** Where it keeps guests and snapshots from life to life; for this user only. */
  keptDir: string;
  /** Path of the operator's kernel; null: the distribution's. */
  kernel: string | null;
  vmm: "auto" | "firecracker" | "qemu";
  /** Program of Firecracker; null: the system's. */
  firecracker: string | null;
  accelerator: "auto" | "kvm" | "emulation";
  kernelSource: string | null;
  /** Disk space of all snapshots together; 0: none are taken. */
  snapshotsMiBMax: number;
}

/** The calls, by method: what is given and what comes back. */
export interface KeeperCalls {
  probe: { params: null; result: DriverProbe };
  start: { params: { spec: SandboxSpec }; result: { taskRoot: string; startedFrom: StartedFrom } };
  applyLimits: { params: { id: string; limits: SandboxLimits }; result: null };
  usage: { params: { id: string }; result: SandboxUsage };
  freeze: { params: { id: string }; result: boolean };
  thaw: { params: { id: string }; result: null };
  destroy: { params: { id: string; reason: DestroyReason }; result: DestroyReport };
  sweep: { params: null; result: SweepReport };
}

export type KeeperMethod = keyof KeeperCalls;

/**
 * The deadlines that the gateway has not seen kept yet. It is sent at least every `HEARTBEAT_MS` while anything runs, so that its absence says that the gateway
 * does not run itself.
 */
export interface Watch {
  type: "watch";
  /** Something runs. */
  isBusy: boolean;
  /** Sandbox and ms from now: it must be done or destroyed by then. A later entry replaces an earlier one. */
  arm: [id: string, inMs: number][];
  disarm: string[];
}

export type ToKeeper =
  | { type: "begin"; settings: KeeperSettings }
  | { type: "call"; call: number; driver: DriverName; method: KeeperMethod; params: unknown }
  /** Only starts can be given up. */
  | { type: "abort"; call: number }
  /** To `listen`; `path` null: why not is `problem`. */
  | { type: "listening"; ask: number; path: string | null; problem: string }
  | Watch
  /** Answered at once by `pong`: the event loop turns. */
  | { type: "ping" }
  | { type: "close" };

export type FromKeeper =
  | { type: "answer"; call: number; result: unknown }
  | { type: "failure"; call: number; code: ErrorCode; message: string }
  | { type: "exited"; id: string; exit: SandboxExit }
  /** Asks the gateway to await a stream on a unix socket of its own. */
  | { type: "listen"; ask: number; id: string; stream: StreamName }
  | { type: "pong" };

export const HEARTBEAT_MS = 500;
