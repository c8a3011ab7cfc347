import type Dockerode from "dockerode";
import { IsolaError, messageOf } from "../../errors.ts";
import type { Cgroup, CgroupTree } from "../cgroups/cgroup.ts";
import type { SandboxSpec, StreamEnds } from "../driver.ts";
import { type ContainerGroup, directGroup, engineGroup } from "./container-group.ts";
import { containerOptions } from "./container-options.ts";
import type { Containers } from "./containers.ts";
import type { Egress } from "./egress.ts";
import type { ContainerFlavour } from "./flavour.ts";
import { deviations } from "./hardening.ts";
import { type JoinedStreams, joinStreams } from "./join-streams.ts";

export interface StartContext {
  containers: Containers;
  nodeId: string;
  bootId: string;
  /** Where groups around containers are made; null: the engine's own groups are used through the engine. */
  tree: CgroupTree | null;
  /** Resolves with what names the image of the runtime to the engine. */
  image(spec: SandboxSpec): Promise<string>;
  egress: Egress;
  flavour: ContainerFlavour;
  /** As the flavour has found it. */
  runtime: string | null;
  /** Whether a container of this life has been compared with what was asked for. */
  checked: { isDone: boolean };
}

export interface StartedContainer {
  containerId: string;
  group: ContainerGroup;
  streams: JoinedStreams;
}

/** Makes and starts the container of a sandbox with its limits in force. Rejects with an `IsolaError`, and then nothing is left. */
export async function startContainer(
  context: StartContext,
  spec: SandboxSpec,
  { mark, ends, signal }: { mark: string; ends: StreamEnds; signal: AbortSignal },
): Promise<StartedContainer> {
  const { containers, nodeId, bootId, tree, egress, flavour, runtime } = context;
  const image = await context.image(spec);
  let outer: Cgroup | null = null;
  let containerId: string | null = null;
  let streams: JoinedStreams | null = null;
  const name = mark;
  try {
    giveUpIf(signal, spec);
    requireHost(context, spec);
    outer = tree?.create(mark) ?? null;
    const limits = flavour.containerLimits(spec.limits, spec.limits);
    outer?.setLimits(limits);
    const controlPath = containers.isLocal ? await ends.listen(spec.id, "control") : null;
    const cgroupParent = tree === null ? null : `${tree.parentPath?.replace(/\/$/, "")}/${mark}`;
    const { egressOf } = spec;
    const network = egressOf === undefined ? null : egress.networkOf(egressOf);
    const place = { image, nodeId, bootId, controlPath, cgroupParent, network };
    const options = containerOptions(spec, { ...place, flavour, runtime });
    const inNetwork = <T>(work: () => Promise<T>) =>
      egressOf === undefined ? work() : egress.within(egressOf, work);
    containerId = await inNetwork(() => containers.create(name, options));
    await check(context, containerId, options);
    giveUpIf(signal, spec);
    streams = await joinStreams({ containers, ends, sandboxId: spec.id }, containerId);
    giveUpIf(signal, spec);
    const made = containerId;
    await inNetwork(() => containers.start(made));
    if (network !== null) await egress.close(made);
    const group = groupOf(containers, outer, made);
    // Before any code of a tenant is in it.
    if (options.HostConfig?.Memory !== limits.memoryBytes) await group.setLimits(limits);
    return { containerId, group, streams };
  } catch (error) {
    streams?.close();
    await removeHalf(containers, { name, containerId, outer });
    if (error instanceof IsolaError) throw error;
    const text = `${spec.id} could not be started: ${messageOf(error)}`;
    throw new IsolaError("sandbox_start_failed", text, { cause: error });
  }
}

/** What is mounted into a sandbox, or done to its network from here, takes an engine on this machine. */
function requireHost({ containers, flavour }: StartContext, spec: SandboxSpec): void {
  const refuse = (text: string) => {
    throw new IsolaError("driver_unavailable", text);
  };
  const elsewhere = `the Docker Engine at ${containers.host} is not on this machine`;
  if (spec.egressOf !== undefined && !flavour.hasEgress)
    refuse(`sandboxes of the driver ${flavour.name} have no network`);
  if (spec.egressOf !== undefined && !containers.isLocal)
    refuse(`network: internet cannot be given, as its rules are set from here and ${elsewhere}`);
  if (spec.equipment?.hasTools === false && !containers.isLocal)
    refuse(`debuggers cannot be attached, as their socket is mounted and ${elsewhere}`);
  if (spec.equipment !== undefined && !containers.isLocal)
    refuse(
      `builds cannot run, as their tools and their way to the registries are mounted and ${elsewhere}; deploy with the dependencies in the package (node_modules, or pip install --target .), or have the function built and run by the driver process`,
    );
}

/** Once: an engine that leaves a protection out does so every time. */
async function check(
  { containers, checked }: StartContext,
  containerId: string,
  options: Dockerode.ContainerCreateOptions,
): Promise<void> {
  if (checked.isDone) return;
  const made = await containers.inspect(containerId);
  const found = made === null ? ["it is not there"] : deviations(options, made);
  if (found.length > 0)
    throw new IsolaError(
      "driver_unavailable",
      `the Docker Engine at ${containers.host} makes other containers than it is asked for: ${found.join("; ")}`,
    );
  checked.isDone = true;
}

function giveUpIf(signal: AbortSignal, spec: SandboxSpec): void {
  if (signal.aborted)
    throw new IsolaError("sandbox_start_failed", `the start of ${spec.id} was given up`);
}

/** Fails closed where the engine has made its group somewhere else: the limits would not be those that are written. */
function groupOf(
  containers: Containers,
  outer: Cgroup | null,
  containerId: string,
): ContainerGroup {
  if (outer === null) return engineGroup(containers, containerId);
  const inner = outer.inside(containerId);
  if (inner === null)
    throw new IsolaError(
      "driver_unavailable",
      `the Docker Engine at ${containers.host} has not made the container's control group where it was told to`,
    );
  return directGroup(outer, inner);
}

interface Half {
  name: string;
  containerId: string | null;
  outer: Cgroup | null;
}

/** By its name where the engine has not said the id: it may make the container although nobody waits for it any more. What is still left is found by a sweep. */
async function removeHalf(
  containers: Containers,
  { name, containerId, outer }: Half,
): Promise<void> {
  try {
    outer?.killAll(true);
    await containers.remove(containerId ?? name);
    outer?.remove();
  } catch {
    // The engine does not answer: that is why the start has failed.
  }
}
