/** A package registry that builds may reach: by TLS, which passes through as it is, or by plain HTTP. */
export interface Registry {
  /** Lower case; an IPv6 address without brackets. */
  host: string;
  port: number;
  isPlain: boolean;
}

const PATTERN =
  /^(?<plain>http:\/\/)?(?:\[(?<v6>[0-9a-f:.]+)\]|(?<host>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?))(?::(?<port>[1-9][0-9]{0,4}))?$/;

/** `registry.example.org`, `registry.example.org:8443`, `http://10.0.0.5:4873`; null for anything else. */
export function parseRegistry(text: string): Registry | null {
  const found = PATTERN.exec(text.toLowerCase())?.groups;
  if (found === undefined) return null;
  const isPlain = found.plain !== undefined;
  const port = Number(found.port ?? (isPlain ? 80 : 443));
  if (port > 65_535) return null;
  return { host: (found.v6 ?? found.host) as string, port, isPlain };
}
