import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { type Socket, connect } from "node:net";
import type { Registry } from "../domain/registry.ts";
import { isPublicAddress } from "./public-address.ts";
import { type UpstreamProxy, connectThrough, isExcepted } from "./upstream-proxy.ts";

const CONNECT_TIMEOUT_MS = 15_000;

export interface RegistryRouteOptions {
  /** What builds may reach, and nothing else. */
  registries: readonly Registry[];
  /** Of these also under addresses that are not public. */
  privateRegistries: readonly Registry[];
  upstream: UpstreamProxy | null;
  /** Every address of a name. */
  resolve?: (host: string) => Promise<string[]>;
}

/** Why a destination is refused; the words reach the build. */
export class Refused extends Error {}

/** The only way from a build to the network: decides where it leads, and connects to nothing else. */
export class RegistryRoute {
  readonly #options: RegistryRouteOptions;

  constructor(options: RegistryRouteOptions) {
    this.#options = options;
  }

  /** A connection to a registry that the operator names. The address that was looked at is the one that is connected to. Rejects with `Refused`, or an error of the network. */
  async open(wanted: Registry): Promise<Socket> {
    const { registries, privateRegistries, upstream } = this.#options;
    const mayBePrivate = privateRegistries.some((one) => isSame(one, wanted));
    if (!mayBePrivate && !registries.some((one) => isSame(one, wanted)))
      throw new Refused(
        `${shown(wanted)} is not one of the registries that builds may reach (setting buildRegistries)`,
      );
    if (upstream !== null && !isExcepted(upstream, wanted.host))
      return connectThrough(upstream, wanted);
    const addresses = await (this.#options.resolve ?? everyAddress)(wanted.host);
    const hidden = mayBePrivate ? undefined : addresses.find((one) => !isPublicAddress(one));
    if (hidden !== undefined)
      throw new Refused(
        `${shown(wanted)} has the address ${hidden}, which is not public (setting buildPrivateRegistries)`,
      );
    return connectToFirst(addresses, wanted);
  }
}

function isSame(one: Registry, other: Registry): boolean {
  return one.host === other.host && one.port === other.port && one.isPlain === other.isPlain;
}

function shown({ host, port, isPlain }: Registry): string {
  return `${isPlain ? "http://" : ""}${host.includes(":") ? `[${host}]` : host}:${port}`;
}

async function everyAddress(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

async function connectToFirst(addresses: string[], { host, port }: Registry): Promise<Socket> {
  let failure: unknown = new Error(`${host} has no address`);
  for (const address of addresses) {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) });
      return socket;
    } catch (error) {
      socket.destroy();
      failure = error;
    }
  }
  throw failure;
}
