import type { Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import type { DriverName } from "../domain/function.ts";

/** `strong`: a kernel of its own. `container`: hardened container. `namespaces`: shared kernel, contains mistakes. `none`: an ordinary child process. */
export type IsolationTier = "strong" | "container" | "namespaces" | "none";

/** One thing a driver enforces, and whether it holds on this machine. */
export interface Protection {
  /** `memory`, `processes`, `network`, `files`, `cpu`, `freeze` ... */
  name: string;
  isEnforced: boolean;
  /** How (`cgroup v1 memory`, `rlimit`), or why not and what would change it. */
  how: string;
}

/** Whether this machine can run a driver. */
export interface DriverProbe {
  name: DriverName;
  isAvailable: boolean;
  tier: IsolationTier;
  /** `{ bubblewrap: "0.8.0", cgroup: "v1" }` */
  versions: Record<string, string>;
  protections: Protection[];
  /** What is missing, in words; empty when available. */
  problems: string[];
  /** Exact commands that would make it work or better. */
  fixes: string[];
}

/** One language side as found on this machine. */
export interface RuntimeSpec {
  /** `nodejs26`, `python3.11` */
  name: string;
  family: "nodejs" | "python";
  /** Full version, `26.10.0`. */
  version: string;
  /** Absolute host path of the interpreter. */
  executable: string;
  /** Arguments before those of the driver, with `{runtime}` standing for the folder of the runtime inside the sandbox. */
  args: string[];
  /** Host folder with the runtime's own files (`runtimes/node`), mounted read-only. */
  runtimeDir: string;
  /** Host folders and files the interpreter needs, mounted read-only at the same path. */
  needs: string[];
  /** Files of ours beside the runtime: the host path `from` is mounted read-only at `at`, a path below the platform's folder inside the sandbox. */
  companions?: Companion[];
  /** What builds have beside that; never a function's. Left out: nothing. */
  tools?: BuildTools;
}

/** Read-only in the sandbox, below the platform's folder there. */
export interface Companion {
  from: string;
  at: string;
}

export interface BuildTools {
  companions: Companion[];
  /** As `needs`. */
  needs: string[];
  /** What cannot be built here, and the command that would change it; null: everything can. */
  problem: string | null;
}

/** Applied to a sandbox when it is claimed; may be applied once more with higher values. */
export interface SandboxLimits {
  memoryBytes: number;
  /** Processes and threads together. */
  pidsMax: number;
}

/** A unix socket of the platform inside a sandbox that has no network: the host path `from` is mounted read-only at `at`. Without a view of its own a sandbox finds it at `from`. */
export interface SandboxSocket {
  from: string;
  at: string;
}

/** What `start` needs. Built by Isola alone; nothing in it is taken unparsed from a user. */
export interface SandboxSpec {
  /** Unique for ever: `sb-<boot>-<n>`. */
  id: string;
  runtime: RuntimeSpec;
  limits: SandboxLimits;
  tmpBytes: number;
  /** The project whose way to the internet the sandbox has; left out: no network but its own loopback. */
  egressOf?: string;
  /** What a build has beside that. Left out: nothing. */
  equipment?: Equipment;
  /** It is made ahead, and nobody waits for it. Left out: somebody does. */
  isAhead?: true;
}

/** Of a build: the runtime's tools, and its sockets. */
export interface Equipment {
  hasTools: boolean;
  sockets: SandboxSocket[];
}

/** Why a sandbox was destroyed; reaches the log and the metrics. */
export type DestroyReason =
  | "idle"
  | "evicted"
  | "replaced"
  | "deleted"
  | "timeout"
  | "cancelled"
  | "crash"
  | "protocol_error"
  | "init_failed"
  | "start_failed"
  | "shutdown"
  | "blank_surplus"
  /** The function's `afterResponse` is `kill`. */
  | "after_response";

/** How the sandbox came to its end. */
export interface SandboxExit {
  cause: "exited" | "signalled" | "out_of_memory" | "destroyed";
  exitCode: number | null;
  signal: string | null;
}

export interface SandboxUsage {
  /** Of all processes of the sandbox; null where it cannot be read. */
  memoryBytes: number | null;
  cpuMicros: number | null;
  pids: number | null;
  /** The most that was in use at any moment so far; left out, too, where it cannot be read. */
  memoryPeakBytes?: number | null;
}

/** `snapshot`: it goes on where one like it stood before any code was in it. */
export type StartedFrom = "boot" | "snapshot";

/** A running sandbox as its keeper holds it: everything but its streams. */
export interface SandboxHandle {
  readonly id: string;
  /** Where the runtime unpacks code, as the runtime sees it: `/var/task`, or a private folder of the host with tier `none`. */
  readonly taskRoot: string;
  /** Left out: `boot`. */
  readonly startedFrom?: StartedFrom;
  /** Resolves once, never rejects, when the sandbox's first process has ended for whatever reason. */
  readonly exited: Promise<SandboxExit>;
  /** Sets the limits of the revision that claims the sandbox. Rejects with `sandbox_start_failed` when they cannot be put in force (fail closed). */
  applyLimits(limits: SandboxLimits): Promise<void>;
  usage(): Promise<SandboxUsage>;
  /**
   * Stops everything inside until `thaw`. Resolves with true once all of it stands still, with false where the driver cannot (its probe then says so) or a
   * `thaw` came between. What is frozen can be destroyed.
   */
  freeze(): Promise<boolean>;
  /** Rejects with `sandbox_exited` when the sandbox has ended. */
  thaw(): Promise<void>;
  /** Idempotent, never rejects; resolves when nothing of the sandbox runs any more, or after `KILL_CONFIRM_MS` with `isConfirmed` false. */
  destroy(reason: DestroyReason): Promise<DestroyReport>;
}

/** One running isolated environment with its streams, as the gateway holds it. */
export interface Sandbox extends SandboxHandle {
  /** The control stream, carrying `protocol/`. Already connected. */
  readonly control: Duplex;
  /** What is written to descriptors 1 and 2 behind the runtime's back. The reader bounds it. */
  readonly stdout: Readable;
  readonly stderr: Readable;
}

export const KILL_CONFIRM_MS = 5000;

export interface DestroyReport {
  /** Every process of the sandbox was seen to be gone. */
  isConfirmed: boolean;
  /** From the first call of destroy to the confirmation. */
  tookMs: number;
  /** What the sandbox had used in its whole life; left out where that was not seen. */
  usage?: SandboxUsage;
}

export interface SweepReport {
  /** Leftovers of earlier lives that were removed: `cgroup ...`, `process ...`, `folder ...`. */
  removed: string[];
}

export type StreamName = "control" | "stdout" | "stderr";

/** How a sandbox comes to its end of its streams: each is dialled or awaited once, and then its bytes go to the gateway directly. */
export interface StreamEnds {
  /** Resolves with the sandbox's end, connected, for a driver that hands it on. `first`: what the sandbox reads from it before anything of the gateway's, at most 64 bytes. */
  dial(sandboxId: string, stream: StreamName, first?: Buffer): Promise<Socket>;
  /**
   * Resolves with the absolute path of a unix socket. The first connection to it becomes the stream; with it, or with the end of the start, nobody listens there
   * any more and the path is gone.
   */
  listen(sandboxId: string, stream: StreamName): Promise<string>;
}

/** Starts sandboxes with one isolation technology. Its specification is `drivers/conformance.ts`. */
export interface Driver extends DriverBase {
  /**
   * Starts a sandbox whose runtime will say `HELLO` on `control`. Resolves when the process exists, not when the runtime has booted.
   * Rejects with `sandbox_start_failed`, and then nothing is left behind; an abort of `signal` is such a failure.
   */
  start(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox>;
}

/** What the folder of a technology implements. It runs in the keeper, a process that does nothing else, so that a kill never waits for the gateway. */
export interface DriverCore extends DriverBase {
  /** As `Driver.start`; the sandbox gets its streams by `ends`. */
  start(spec: SandboxSpec, ends: StreamEnds, signal: AbortSignal): Promise<SandboxHandle>;
}

interface DriverBase {
  readonly name: DriverName;
  probe(): Promise<DriverProbe>;
  /** Removes what earlier lives of this node left behind. Safe while sandboxes of this life run. */
  sweep(): Promise<SweepReport>;
  /** Destroys every sandbox of this life. */
  close(): Promise<void>;
}
