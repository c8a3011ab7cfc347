/** The nouns of a deployment. Names and units are those of the API (docs/api, SPECIFICATION.md). */

import { settingLimits } from "./limits.ts";

/** `^[a-z][a-z0-9-]{0,62}$` */
export type FunctionName = string;
export const NAME_PATTERN = "^[a-z][a-z0-9-]{0,62}$";

export type DriverName = "process" | "docker" | "gvisor" | "microvm";
export const driverNames: readonly DriverName[] = ["process", "docker", "gvisor", "microvm"];

/** MiB that a sandbox takes beside its function, for a kernel of its own. */
export const overheadMiB: Readonly<Record<DriverName, number>> = {
  ...{ process: 0, docker: 0, gvisor: 64, microvm: 160 },
};

/** Of a microVM: in steps, so that few snapshots do for all. It cannot grow, so that there is room for the code beside what the function may take, and for a kernel. */
const RAM_STEP_MIB = 256;
const CODE_MIB = 260;
const KERNEL_MIB = 64;

export const machineRam = {
  /** RAM of a machine that is started for a function with this limit. */
  mibFor(limitMiB: number): number {
    return Math.ceil((limitMiB + CODE_MIB + KERNEL_MIB) / RAM_STEP_MIB) * RAM_STEP_MIB;
  },
  /** The highest limit that a function can be given in it later. */
  limitMiBMax(ramMiB: number): number {
    return ramMiB - KERNEL_MIB;
  },
};

/** What a sandbox for such a function counts for in the memory budget. */
export function reservedMiBOf({
  driver,
  memoryMiB,
}: Pick<RevisionSettings, "driver" | "memoryMiB">): number {
  return memoryMiB + overheadMiB[driver];
}

/** Whether a sandbox for such a function can be a blank one: these have the default `/tmp` and no network. */
export function takesBlanks({
  tmpMiB,
  network,
}: Pick<RevisionSettings, "tmpMiB" | "network">): boolean {
  return tmpMiB === settingLimits.tmpMiB.default && network === "none";
}

/** Whether a sandbox that was started for a function of `startedMiB` can be given the limit `limitMiB` later. */
export function canGrow(driver: DriverName, startedMiB: number, limitMiB: number): boolean {
  return driver !== "microvm" || limitMiB <= machineRam.limitMiBMax(machineRam.mibFor(startedMiB));
}

export interface Route {
  /** Upper case; empty means every method. */
  methods: string[];
  /** `/users/:id`, `/files/*`; begins with `/`. */
  path: string;
}

/** Everything that decides how a revision runs. Immutable once the revision exists. */
export interface RevisionSettings {
  /** Resolved: `nodejs26`, `python3.11`. */
  runtime: string;
  /** `file.export`: `index.handler`, `app.app`; the default per family is in `domain/limits.ts`. */
  handler: string;
  /** null: only the default route `/<name>` and `/<name>/*`. */
  route: Route | null;
  driver: DriverName;
  memoryMiB: number;
  tmpMiB: number;
  timeoutMs: number;
  initTimeoutMs: number;
  queueTimeoutMs: number;
  /** Invocations at once in one sandbox. */
  concurrency: number;
  /** Another sandbox is started where each has more invocations than this; at most `concurrency`, which null stands for. */
  concurrencyTarget: number | null;
  minSandboxes: number;
  maxSandboxes: number;
  /** Of the server's invocations at once, the number that is this function's and nobody else's, and beyond which it has none. null: it shares what is left. */
  reservedConcurrency: number | null;
  /** An idle sandbox above `minSandboxes` is destroyed after this; `auto`: after what its calls have taught. */
  idleTimeoutMs: number | "auto";
  env: Record<string, string>;
  /** Whether callers see the function's own error text and stack. */
  exposeErrors: boolean;
  /** At the deadline the runtime is told, and the sandbox is killed this much later; the caller is answered at the deadline. */
  timeoutGraceMs: number;
  /** Run until the first byte of the body; null: `timeoutMs` alone counts. */
  firstByteTimeoutMs: number | null;
  /** Between two pieces of a streamed body; null: not bounded. */
  streamIdleTimeoutMs: number | null;
  /** Instead of `timeoutMs`, once the body has begun to stream; counts from the start of the run. null: `timeoutMs` stays in force. */
  streamTimeoutMs: number | null;
  afterResponse: AfterResponse;
  onDisconnect: OnDisconnect;
  /** `internet`: the code may call out, though not to this machine, its neighbours or private addresses. */
  network: Network;
  schedules: readonly Schedule[];
  build: BuildSettings;
}

/** When the server itself calls the function, and with what. */
export interface Schedule {
  /** Unique within the function; as names of functions are. */
  name: string;
  /** Five fields divided by single blanks, or `@daily` and the like. */
  cron: string;
  /** Of the time zone database: `Europe/Berlin`. */
  timeZone: string;
  /** Any JSON value; left out: `scheduledEvent`. */
  event?: unknown;
  enabled: boolean;
}

/** What is made of a package before its revision exists. */
export interface BuildSettings {
  /** `auto`: what the package's lockfile or requirements name is installed; `none`: the package is taken as it is. */
  dependencies: "auto" | "none";
  /** Whether code of the dependencies runs while they are installed: lifecycle scripts of npm, builds from source of pip. */
  scripts: boolean;
  /** JavaScript and TypeScript: the handler's file and all it imports become one file. */
  bundle: boolean;
}

/** What becomes of a sandbox between calls: stands still, is destroyed, or may go on for 30 s. */
export type AfterResponse = "freeze" | "kill" | "allow";

/** Of functions that name none: the first of these that works. */
export const preferredDrivers: readonly DriverName[] = ["docker", "process"];

export type Network = "none" | "internet";
/** Those that can give a sandbox a network. */
export const networkDrivers: readonly DriverName[] = ["docker"];

/** What becomes of a call whose caller has gone. */
export type OnDisconnect = "cancel" | "continue";

/** What was not settable when a revision was made has the value that changes nothing. */
export const laterSettings = {
  concurrencyTarget: null,
  reservedConcurrency: null,
  timeoutGraceMs: 0,
  firstByteTimeoutMs: null,
  streamIdleTimeoutMs: null,
  streamTimeoutMs: null,
  afterResponse: "freeze",
  onDisconnect: "cancel",
  network: "none",
  schedules: [],
  build: { dependencies: "auto", scripts: false, bundle: false },
} as const satisfies Partial<RevisionSettings>;

/** Content-addressed code: a canonical tar. */
export interface Artifact {
  /** SHA-256 of the tar, lower-case hex. */
  digest: string;
  /** Bytes of the tar. */
  bytes: number;
  entries: number;
  unpackedBytes: number;
}

/** What a build made of a package. */
export interface Layer {
  artifact: Artifact;
  /** `beside`: its files come to those of the package, none of which has the same name. `instead`: it takes the place of the package. */
  place: "beside" | "instead";
}

/** What the gateway needs in order to run one function: the revision that `live` points to. */
export interface DeployedFunction {
  project: string;
  name: FunctionName;
  /** Never given to another function, also after a delete and a create with the same name. */
  functionId: string;
  revision: number;
  /** As it was uploaded. */
  artifact: Artifact;
  /** Left out: the package needed no build. */
  layer?: Layer;
  settings: RevisionSettings;
}

/** Without what the gateway has no use for: events may be long. */
export function gatewaySettingsOf(settings: RevisionSettings): RevisionSettings {
  return { ...settings, schedules: [] };
}

/** Longest time from the begin of a call to the end of its sandbox's work for it. */
export function runMsMaxOf(settings: RevisionSettings): number {
  const { queueTimeoutMs, initTimeoutMs, timeoutMs, streamTimeoutMs, timeoutGraceMs } = settings;
  const runMs = Math.max(timeoutMs, streamTimeoutMs ?? 0);
  return queueTimeoutMs + initTimeoutMs + runMs + timeoutGraceMs;
}

/** What lies in the sandbox's memory as code. */
export function unpackedBytesOf({ artifact, layer }: Pick<DeployedFunction, "artifact" | "layer">) {
  if (layer === undefined) return artifact.unpackedBytes;
  const own = layer.place === "instead" ? 0 : artifact.unpackedBytes;
  return own + layer.artifact.unpackedBytes;
}
