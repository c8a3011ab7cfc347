import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";

const CONNECT_TIMEOUT_MS = 15_000;

/** The proxy by which this machine reaches other hosts, as the environment names it. */
export interface UpstreamProxy {
  url: URL;
  /** Suffixes of hosts that are reached without it. */
  except: readonly string[];
}

/** By `HTTPS_PROXY` (else `HTTP_PROXY`, `ALL_PROXY`) and `NO_PROXY`, in either case; null where there is none, or one that does not speak HTTP. */
export function upstreamProxy(env: NodeJS.ProcessEnv): UpstreamProxy | null {
  const of = (name: string) => env[name.toLowerCase()] || env[name];
  const text = of("HTTPS_PROXY") ?? of("HTTP_PROXY") ?? of("ALL_PROXY");
  if (text === undefined) return null;
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url?.protocol !== "http:") return null;
  const except = (of("NO_PROXY") ?? "").split(",").map((one) => one.trim().toLowerCase());
  return { url, except: except.filter((one) => one !== "") };
}

export function isExcepted({ except }: UpstreamProxy, host: string): boolean {
  return except.some((one) => {
    if (one === "*") return true;
    const suffix = one.replace(/^\*?\./, "").replace(/:\d+$/, "");
    return host === suffix || host.endsWith(`.${suffix}`);
  });
}

/** A connection to the host through the proxy. Rejects where the proxy refuses. */
export async function connectThrough(
  { url }: UpstreamProxy,
  to: { host: string; port: number },
): Promise<Socket> {
  const authority = `${to.host.includes(":") ? `[${to.host}]` : to.host}:${to.port}`;
  const headers: Record<string, string> = { host: authority };
  if (url.username !== "") {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers["proxy-authorization"] = `Basic ${Buffer.from(pair).toString("base64")}`;
  }
  const asking = request({
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 80 : Number(url.port),
    method: "CONNECT",
    path: authority,
    headers,
    agent: false,
    timeout: CONNECT_TIMEOUT_MS,
  });
  asking.on("timeout", () =>
    asking.destroy(new Error("the proxy of this machine does not answer")),
  );
  asking.end();
  const [answer, socket] = (await once(asking, "connect")) as [IncomingMessage, Socket];
  if (answer.statusCode === 200) return socket;
  socket.destroy();
  throw new Error(`the proxy of this machine answered ${answer.statusCode}`);
}
