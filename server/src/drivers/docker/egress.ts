import { execFile } from "node:child_process";
import { networkInterfaces } from "node:os";
import { IsolaError, messageOf } from "../../errors.ts";
import { findProgram } from "../find-program.ts";
import type { Containers } from "./containers.ts";
import { labels } from "./container-options.ts";

const RULES_MS_MAX = 5000;

/** What no sandbox may reach: this machine's neighbourhood, what is nobody's, and everybody at once (the special-purpose registry of RFC 6890). */
const closedRanges = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
  ...["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"],
  ...["198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
];

export interface EgressOptions {
  containers: Containers;
  nodeId: string;
  /** Addresses and ranges that sandboxes may reach although they are closed: `10.1.2.0/24`. */
  allowed: readonly string[];
}

/**
 * Ways out for the sandboxes of functions that may use the internet: one bridge per project, whose members do not see each other, and rules inside the network
 * namespace of each sandbox, which it has no right to change.
 */
export class Egress {
  readonly #options: EgressOptions;
  /** By project. */
  readonly #networks = new Map<string, Promise<string>>();

  constructor(options: EgressOptions) {
    this.#options = options;
  }

  /** Resolves with the name of the project's network, which is made where there is none. */
  networkOf(project: string): Promise<string> {
    const known = this.#networks.get(project);
    if (known !== undefined) return known;
    const made = this.#make(project).catch((error: unknown) => {
      this.#networks.delete(project);
      throw error;
    });
    this.#networks.set(project, made);
    return made;
  }

  /** Closes what is closed to the container, before any code of a tenant is in it. Rejects with `driver_unavailable` where that cannot be done. */
  async close(containerId: string): Promise<void> {
    const made = await this.#options.containers.inspect(containerId);
    const pid = made?.State.Pid ?? 0;
    if (pid === 0)
      throw new IsolaError(
        "sandbox_start_failed",
        "the container has ended before its network was closed",
      );
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const host = own.filter(({ family }) => family === "IPv4").map(({ address }) => address);
    const namespace = `--net=/proc/${pid}/ns/net`;
    await restore(namespace, "iptables-restore", rules4(this.#options.allowed, host));
    await restore(namespace, "ip6tables-restore", rules6);
  }

  /** Removes the networks of this node that no container is in. */
  async sweep(): Promise<string[]> {
    this.#networks.clear();
    const { containers, nodeId } = this.#options;
    return await containers.removeNetworks(`${labels.node}=${nodeId}`);
  }

  async #make(project: string): Promise<string> {
    const { containers, nodeId } = this.#options;
    const name = `isola-${nodeId}-${project}`;
    await containers.ensureNetwork(name, { [labels.node]: nodeId });
    return name;
  }
}

/** For `iptables-restore`: its own loopback is open, and so is the engine's name service on it. What is refused is told at once, so that code need not wait. */
function rules4(allowed: readonly string[], host: readonly string[]): string {
  return [
    "*filter",
    "-A OUTPUT -o lo -j ACCEPT",
    ...allowed.map((range) => `-A OUTPUT -d ${range} -j ACCEPT`),
    ...[...closedRanges, ...host].map((range) => `-A OUTPUT -d ${range} -j REJECT`),
    "COMMIT\n",
  ].join("\n");
}

const rules6 = ["*filter", "-A OUTPUT -o lo -j ACCEPT", "-A OUTPUT -j REJECT", "COMMIT\n"].join(
  "\n",
);

async function restore(namespace: string, program: string, rules: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = execFile(
    findProgram("nsenter") ?? "/usr/bin/nsenter",
    [namespace, findProgram(program) ?? `/usr/sbin/${program}`, "--noflush"],
    { timeout: RULES_MS_MAX },
    (error, _stdout, stderr) => {
      if (error === null) return resolve();
      const how = stderr.trim() || messageOf(error);
      reject(
        new IsolaError(
          "driver_unavailable",
          `a sandbox with network: internet could not be closed to the host and its neighbours (nsenter ${program}: ${how}); it needs root, util-linux and iptables`,
        ),
      );
    },
  );
  child.stdin?.on("error", () => {}); // the exit says it
  child.stdin?.end(rules);
  return await promise;
}
