import { execFile } from "node:child_process";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { isIPv4 } from "node:net";
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
  /** IPv4 addresses of name servers, which are asked from inside the sandbox and may be private. */
  resolvers: readonly string[];
}

/** The machine's name servers, those on its loopback left out, as no sandbox can ask them. */
export function machineResolvers(): string[] {
  const read = (path: string) => (existsSync(path) ? readFileSync(path, "latin1") : "");
  const texts = [read("/etc/resolv.conf"), read("/run/systemd/resolve/resolv.conf")];
  const found = texts.flatMap((text) =>
    [...text.matchAll(/^nameserver[ \t]+(\d+\.\d+\.\d+\.\d+)/gm)].map(
      ([, address]) => address as string,
    ),
  );
  return [...new Set(found)].filter((address) => isIPv4(address) && !address.startsWith("127."));
}

/**
 * Ways out for the sandboxes of functions that may use the internet: one bridge per project, whose members do not see each other, and rules inside the network
 * namespace of each sandbox, which it has no right to change.
 */
export class Egress {
  readonly #options: EgressOptions;
  /** Known to be there, by name. */
  readonly #networks = new Set<string>();
  /** One at a time: a sweep must not take the network that a start has just found. */
  #work: Promise<unknown> = Promise.resolve();
  /** Starts that have a name and no container in the network yet. */
  readonly #awaited = new Set<string>();

  constructor(options: EgressOptions) {
    this.#options = options;
  }

  /** That of a project; it is there `within` it. */
  networkOf(project: string): { name: string; resolvers: readonly string[] } {
    const { nodeId, resolvers } = this.#options;
    return { name: `isola-${nodeId}-${project}`, resolvers };
  }

  /** Does something that needs the project's network, which is made where there is none, and made again where somebody has removed it. */
  async within<T>(project: string, work: () => Promise<T>): Promise<T> {
    const { name } = this.networkOf(project);
    this.#awaited.add(name);
    try {
      await this.#ensure(name);
      try {
        return await work();
      } catch (error) {
        if (!/network .*not found/i.test(messageOf(error))) throw error;
        this.#networks.delete(name);
        await this.#ensure(name);
        return await work();
      }
    } finally {
      this.#awaited.delete(name);
    }
  }

  /** Closes what is closed to the container, before any code of a tenant is in it. Rejects with `driver_unavailable` where that cannot be done. */
  async close(containerId: string): Promise<void> {
    const { containers, allowed, resolvers } = this.#options;
    const pid = (await containers.inspect(containerId))?.State.Pid ?? 0;
    if (pid === 0 || !isIn(pid, containerId))
      throw new IsolaError(
        "sandbox_start_failed",
        "the container has ended before its network was closed",
      );
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const host = own.filter(({ family }) => family === "IPv4").map(({ address }) => address);
    const namespace = `--net=/proc/${pid}/ns/net`;
    await restore(namespace, "iptables-restore", rules4({ allowed, resolvers, host }));
    await restore(namespace, "ip6tables-restore", rules6);
  }

  /** Removes the networks of this node that no container is in, and that none is about to be in. */
  async sweep(): Promise<void> {
    const { containers, nodeId } = this.#options;
    await this.#inTurn(async () => {
      const removed = await containers.removeNetworks(
        `${labels.node}=${nodeId}`,
        (name) => !this.#awaited.has(name),
      );
      for (const name of removed) this.#networks.delete(name);
    });
  }

  async #ensure(name: string): Promise<void> {
    if (this.#networks.has(name)) return;
    const { containers, nodeId } = this.#options;
    await this.#inTurn(() => containers.ensureNetwork(name, { [labels.node]: nodeId }));
    this.#networks.add(name);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {}); // told to whoever asked
    return done;
  }
}

/** The process is the container's, and not one that has got its number since. */
function isIn(pid: number, containerId: string): boolean {
  try {
    const isOurs = readFileSync(`/proc/${pid}/cgroup`, "latin1").includes(containerId);
    return isOurs && readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync("/proc/self/ns/net");
  } catch {
    return false; // it has ended
  }
}

interface Openings {
  allowed: readonly string[];
  resolvers: readonly string[];
  /** This machine's own addresses. */
  host: readonly string[];
}

/**
 * For `iptables-restore`: its own loopback is open, with the engine's name service on it, and the resolvers that this asks from here. What is refused is told at
 * once, so that code need not wait.
 */
function rules4({ allowed, resolvers, host }: Openings): string {
  const names = resolvers.flatMap((address) =>
    ["udp", "tcp"].map((protocol) => `-A OUTPUT -d ${address} -p ${protocol} --dport 53 -j ACCEPT`),
  );
  return [
    "*filter",
    "-A OUTPUT -o lo -j ACCEPT",
    ...names,
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
