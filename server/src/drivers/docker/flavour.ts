import type Dockerode from "dockerode";
import type { DriverName } from "../../domain/function.ts";
import type { IsolationTier, SandboxLimits, SandboxSpec } from "../driver.ts";
import type { EngineFacts } from "./containers.ts";

/** `trace`: what is left to a tracer does not exist where there is none, and profiles let nobody trace. */
export type AbsentAction = "errno" | "trace";

/** One way to run containers in a Docker Engine: where a driver differs from the others that use an engine. */
export interface ContainerFlavour {
  name: DriverName;
  tier: IsolationTier;
  /** Whether its sandboxes can have a network. */
  hasEgress: boolean;
  /** How its seccomp filters answer a call as if there were none of its name. */
  absent: AbsentAction;
  /** Looks at what only this way needs. */
  examine(facts: EngineFacts): Promise<FlavourFindings>;
  /** Limits of a running container can be changed through the engine; else only by writing its control groups. */
  canUpdate: boolean;
  /** What the container as a whole may take, so that the function has its limits. `started`: those it was started with; throws where they cannot become others. */
  containerLimits(limits: SandboxLimits, started: SandboxLimits): SandboxLimits;
  /** Folders that are covered by empty ones, with their options. */
  covered: Record<string, string>;
  /** Members of the container's settings that are not the common ones; `runtime` as found. */
  hostConfig(spec: SandboxSpec, runtime: string | null): Dockerode.HostConfig;
  /** How it enforces what it does not do as all others, by the protection's name. `groups`: how control groups are written. */
  protections(groups: string): Readonly<Record<string, string>>;
}

export interface FlavourFindings {
  /** The engine's runtime to ask for, by its name there; null: its default. */
  runtime: string | null;
  versions: Record<string, string>;
  /** Without these nothing is started. */
  problems: string[];
  fixes: string[];
}

/** A runtime as an engine tells of it. */
export interface EngineRuntime {
  /** Of its program; null where it is a shim, which keeps its flags to itself. */
  path: string | null;
  args: string[];
  /** `io.containerd.runsc.v1`; empty where it is a program. */
  type: string;
}
