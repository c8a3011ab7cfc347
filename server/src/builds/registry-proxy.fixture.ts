/** A proxy of builds, and what stands behind it, for tests. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Registry, parseRegistry } from "../domain/registry.ts";
import { helloFor } from "./client-hello.fixture.ts";
import { type ProxyLimits, RegistryProxy, defaultProxyLimits } from "./registry-proxy.ts";
import { RegistryRoute, type RegistryRouteOptions } from "./registry-route.ts";

interface Given {
  registries?: string[];
  privateRegistries?: string[];
  resolve?: RegistryRouteOptions["resolve"];
  upstream?: RegistryRouteOptions["upstream"];
  limits?: Partial<ProxyLimits>;
}

const registriesOf = (texts: string[] = []) => texts.map((text) => parseRegistry(text) as Registry);

/** Path of the socket of a proxy that ends with the test. */
export async function openProxy(t: TestContext, given: Given): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "isola-proxy-"));
  const route = new RegistryRoute({
    registries: registriesOf(given.registries),
    privateRegistries: registriesOf(given.privateRegistries),
    upstream: given.upstream ?? null,
    ...(given.resolve && { resolve: given.resolve }),
  });
  const proxy = new RegistryProxy(route, { ...defaultProxyLimits, ...given.limits });
  const path = join(dir, "p.sock");
  await proxy.listen(path);
  t.after(async () => {
    await proxy.close();
    rmSync(dir, { recursive: true });
  });
  return path;
}

/** A server that answers every connection with what it was sent. */
export async function openEcho(
  t: TestContext,
): Promise<{ port: number; server: Server; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.pipe(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server, sockets };
}

/** Sends text over a fresh connection and resolves with everything that came until it ended. */
export async function exchange(path: string, text: string, more: string = ""): Promise<string> {
  const socket = connect({ path });
  let seen = "";
  socket.on("data", (chunk: Buffer) => {
    seen += chunk.toString("latin1");
    if (more !== "" && seen.includes("\r\n\r\n")) {
      socket.end(more, "latin1");
      more = "";
    }
  });
  socket.on("error", () => {});
  socket.write(text);
  await new Promise((resolve) => socket.once("close", resolve));
  return seen;
}

/** TLS to a host, and whatever. */
export const talk = (host: string, text: string) => helloFor(host).toString("latin1") + text;

export const connectTo = (authority: string) =>
  `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`;
