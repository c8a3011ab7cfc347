import type { Readable } from "node:stream";
import type { BuildRequest } from "../builds/layer-builds.ts";
import type { BuildProgress } from "../builds/ports.ts";
import type { Artifact, DriverName, Layer } from "../domain/function.ts";
import type { LinkRequests } from "../link/messages.ts";
import type { MetricsKept } from "../store/metrics-store.ts";

/** What the control plane needs of others; `main` hands it in. */

/** The link to the gateway, which comes and goes. */
export interface GatewayLink {
  /** The gateway runs what the store says. */
  readonly isConnected: boolean;
  /** Rejects with the gateway's `IsolaError`, or `not_ready` when the gateway is away or goes away. */
  request<K extends keyof LinkRequests>(
    kind: K,
    params: LinkRequests[K]["params"],
    signal?: AbortSignal,
  ): Promise<LinkRequests[K]["result"]>;
}

/** Code as it came in, unchecked. */
export type CodeInput =
  | { kind: "files"; files: Record<string, string> }
  | { kind: "zip"; bytes: Buffer }
  | { kind: "tar"; bytes: Buffer }
  | { kind: "tar.gz"; bytes: Buffer };

export interface Artifacts {
  /** Checks, builds and keeps the code; durable when it resolves. Rejects with `invalid_package` or `package_too_large`. */
  put(input: CodeInput): Promise<Artifact>;
  has(digest: string): Promise<boolean>;
  /** The canonical tar. Rejects with `not_found`. */
  open(digest: string): Promise<Readable>;
  /** Removes every artifact that is not in `keep`. */
  collectGarbage(keep: Set<string>): Promise<unknown>;
}

/** What is made of packages before their revisions exist. */
export interface PackageBuilds {
  /** Undefined: the package is taken as it is. Rejects with `invalid_package`, `build_failed`, `cancelled`, or what the platform failed in. */
  layerFor(request: BuildRequest, progress: BuildProgress): Promise<Layer | undefined>;
}

/** The part of pino that is used. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ControlSettings {
  /** Base URL under which callers reach functions, without a trailing slash. */
  gatewayUrl: string;
  /** `Host` names the API answers to, beside loopback; without port. */
  allowedHosts: readonly string[];
  /** Of Isola itself. */
  version: string;
  /** No revision with a higher `timeoutMs` becomes live. */
  timeoutMsMax: number;
  /** Nor one that reserves all of them. */
  invocationsMax: number;
  /** Folder of the built console; null: there is none. */
  consoleDir: string | null;
  /** How long minutes, hours and days of metrics are kept. */
  metricsKept: MetricsKept;
  /** Of functions that name none, in projects that name none. */
  defaultDriver: DriverName | "auto";
  /** Whether the driver `process` may serve more than one project. */
  acceptProjectsOnProcess: boolean;
  /** Whether functions may be debugged. */
  allowsDebugger: boolean;
}
