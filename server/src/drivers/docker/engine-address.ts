import { IsolaError } from "../../errors.ts";

const DEFAULT_SOCKET = "/var/run/docker.sock";
const TCP_PORT = 2375;

/** Where an engine listens. */
export interface EngineAddress {
  /** As a person writes it: `unix:///var/run/docker.sock`. */
  text: string;
  /** It runs on this machine and sees its files: unix sockets can be mounted into its containers. */
  isLocal: boolean;
  options: { socketPath: string } | { host: string; port: number; protocol: "http" };
}

/** Reads `unix:///path`, `tcp://host:port`, `http://host:port` or a plain path; null: the usual socket. Throws `invalid_settings`. */
export function addressOf(host: string | null): EngineAddress {
  const text = host === null || host === "" ? `unix://${DEFAULT_SOCKET}` : host;
  if (text.startsWith("/")) return local(text);
  if (text.startsWith("unix://")) return local(text.slice("unix://".length));
  const url = URL.parse(text);
  if (url !== null && (url.protocol === "tcp:" || url.protocol === "http:") && url.hostname !== "")
    return {
      text,
      isLocal: false,
      options: {
        host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
        port: Number(url.port || TCP_PORT),
        protocol: "http",
      },
    };
  throw new IsolaError(
    "invalid_settings",
    `the Docker host must be unix:///path, tcp://host:port or a path, not ${text}`,
  );
}

function local(path: string): EngineAddress {
  if (!path.startsWith("/"))
    throw new IsolaError("invalid_settings", `the Docker socket must be an absolute path, not ${path}`);
  return { text: `unix://${path}`, isLocal: true, options: { socketPath: path } };
}
