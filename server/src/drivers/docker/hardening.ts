import { isDeepStrictEqual } from "node:util";
import type Dockerode from "dockerode";

/** What must be as it was asked for; engines drop in silence what they do not know. */
const kept = [
  ...["Privileged", "CapDrop", "SecurityOpt", "ReadonlyRootfs", "NetworkMode", "IpcMode"],
  ...["CgroupnsMode", "Memory", "MemorySwap", "PidsLimit", "ShmSize", "Tmpfs", "Init", "Ulimits"],
  ...["MaskedPaths", "ReadonlyPaths"],
] as const;

/** Fields in which a container is not what was asked for: `ReadonlyRootfs is false, not true`. Empty: all of it is in force. */
export function deviations(
  asked: Dockerode.ContainerCreateOptions,
  made: Dockerode.ContainerInspectInfo,
): string[] {
  const wanted = { ...asked.HostConfig } as Record<string, unknown>;
  const found = { ...made.HostConfig } as Record<string, unknown>;
  const host = kept.filter((name) => !isDeepStrictEqual(sorted(found[name]), sorted(wanted[name])));
  const told = host.map((name) => `${name} is ${text(found[name])}, not ${text(wanted[name])}`);
  if (made.Config.User !== asked.User) told.push(`User is ${made.Config.User}, not ${asked.User}`);
  return told;
}

/** Engines keep lists, and members of what is in them, in an order of their own. */
function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.map(textOf).toSorted() : value;
}

function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${name}: ${textOf(member)}`);
  return members.toSorted().join(", ");
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? "missing";
}
