import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

/** Where a request came from, as functions are told. */
export interface CallerOrigin {
  address: string;
  scheme: "http" | "https";
}

export type OriginOf = (request: IncomingMessage) => CallerOrigin;

/** Entries of `X-Forwarded-For` that are looked at, from the last; each stands for a proxy. */
const PROXIES_MAX = 32;

/**
 * Reads the origin off the connection, and off `X-Forwarded-For` and `X-Forwarded-Proto` where the connection is from a proxy that is trusted: addresses or ranges. Each proxy adds the address that
 * it was called from at the end, so from there the first that is not a trusted proxy's is the caller; whatever stands before it the caller may have written.
 */
export function originReader(trustedProxies: readonly string[]): OriginOf {
  if (trustedProxies.length === 0) return connectionOf;
  const trusted = blockListOf(trustedProxies);
  return (request) => {
    const near = connectionOf(request);
    if (!isIn(trusted, near.address)) return near;
    const { "x-forwarded-for": path, "x-forwarded-proto": proto } = request.headers;
    // Node joins what came in several headers with ", ".
    const hops = typeof path === "string" ? path.split(",").slice(-PROXIES_MAX) : [];
    return { address: callerOf(hops, near.address, trusted), scheme: schemeOf(proto) };
  };
}

function connectionOf(request: IncomingMessage): CallerOrigin {
  return { address: request.socket.remoteAddress ?? "", scheme: "http" };
}

function callerOf(hops: readonly string[], near: string, trusted: BlockList): string {
  let address = near;
  for (let at = hops.length - 1; at >= 0 && isIn(trusted, address); at -= 1) {
    const hop = (hops[at] as string).trim();
    if (isIP(hop) === 0) return address;
    address = hop;
  }
  return address;
}

/** Of several the last: the nearest proxy's. */
function schemeOf(proto: string | string[] | undefined): "http" | "https" {
  const last = typeof proto === "string" ? proto.split(",").at(-1) : undefined;
  return last?.trim().toLowerCase() === "https" ? "https" : "http";
}

function isIn(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? "ipv4" : "ipv6");
}

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    const family = isIP(address) === 4 ? "ipv4" : "ipv6";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
