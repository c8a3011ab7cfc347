import { BlockList, isIPv4, isIPv6 } from "node:net";

/** Of this machine, of its own network, of the cloud it runs in, or of nobody: where no public registry is. */
const reserved = new BlockList();
for (const [address, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const)
  reserved.addSubnet(address, bits, "ipv4");
for (const [address, bits] of [
  ["::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 32],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
] as const)
  reserved.addSubnet(address, bits, "ipv6");

/** IPv4 in IPv6: mapped, or as translators write it. */
const embedding = new BlockList();
embedding.addSubnet("::ffff:0:0", 96, "ipv6");
embedding.addSubnet("64:ff9b::", 96, "ipv6");

/** False for addresses of loopback, private and link-local networks in any spelling, and for what is no address. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !reserved.check(address, "ipv4");
  if (!isIPv6(address) || address.includes("%")) return false;
  if (embedding.check(address, "ipv6")) return !reserved.check(embeddedIn(address), "ipv4");
  return !reserved.check(address, "ipv6");
}

/** The last 32 bits. */
function embeddedIn(address: string): string {
  const dotted = /[\d.]+$/.exec(address)?.[0] ?? "";
  if (isIPv4(dotted)) return dotted;
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(":");
  const [high, low] = groups.slice(-2).map((group) => Number.parseInt(group || "0", 16)) as [
    number,
    number,
  ];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
