import {
  type IncomingMessage,
  type Server,
  type ServerResponse,
  createServer,
  request,
} from "node:http";
import type { Socket } from "node:net";
import { type Duplex, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { hopByHop } from "../domain/hop-by-hop.ts";
import { parseRegistry } from "../domain/registry.ts";
import { messageOf } from "../errors.ts";
import { Refused, type RegistryRoute } from "./registry-route.ts";
import { ServerNameGuard } from "./server-name-guard.ts";

export interface ProxyLimits {
  connectionsMax: number;
  /** A connection on which nothing moves is cut after this. */
  idleTimeoutMs: number;
  headersTimeoutMs: number;
  /** After a tunnel was opened, for the whole first message of TLS. */
  helloTimeoutMs: number;
  /** Both ways, of all connections together. */
  bytesMax: number;
}

export const defaultProxyLimits: ProxyLimits = {
  connectionsMax: 64,
  idleTimeoutMs: 60_000,
  headersTimeoutMs: 10_000,
  helloTimeoutMs: 10_000,
  bytesMax: 2 ** 31,
};

const HEADER_BYTES_MAX = 16_384;
/** The HTTP proxy of one build, on a unix socket: `CONNECT` and plain requests, to where its route leads. `made -> listening -> closed`. */
export class RegistryProxy {
  readonly #route: RegistryRoute;
  readonly #limits: ProxyLimits;
  readonly #server: Server;
  readonly #open = new Set<Duplex>();
  #bytes = 0;

  constructor(route: RegistryRoute, limits: ProxyLimits = defaultProxyLimits) {
    this.#route = route;
    this.#limits = limits;
    this.#server = createServer({
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs),
      keepAliveTimeout: limits.idleTimeoutMs,
      requestTimeout: 0,
    });
    this.#server.maxConnections = limits.connectionsMax;
    this.#server.on("connection", (socket: Socket) => this.#hold(socket));
    this.#server.on("connect", (asked: IncomingMessage, socket: Socket, head: Buffer) => {
      void this.#tunnel(asked, socket, head);
    });
    this.#server.on("request", (asked: IncomingMessage, answer: ServerResponse) => {
      void this.#forward(asked, answer);
    });
  }

  async listen(path: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(path, resolve);
    });
  }

  /** Cuts what is open. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  async #tunnel(asked: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    try {
      const wanted = parseRegistry(asked.url ?? "");
      // Without a port it would be no authority, and with a scheme no CONNECT.
      if (wanted === null || wanted.isPlain || !/:\d+$/.test(asked.url ?? ""))
        throw new Refused("CONNECT takes host:port");
      const outer = await this.#route.open(wanted);
      this.#hold(outer);
      if (socket.destroyed) return void outer.destroy();
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      const guard = new ServerNameGuard(wanted.host, this.#limits.helloTimeoutMs);
      if (head.length > 0) guard.write(head);
      await this.#passOn(socket, guard, outer);
    } catch (error) {
      if (!socket.writable) return;
      const text = `${messageOf(error)}\n`;
      const status = error instanceof Refused ? "403 Forbidden" : "502 Bad Gateway";
      // npm and pip show the status line alone.
      const words = messageOf(error)
        .replace(/[^ -~]/g, "?")
        .slice(0, 300);
      socket.end(
        `HTTP/1.1 ${status} - ${words}\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
      );
      socket.destroySoon(); // without it the other side could hold it open
    }
  }

  async #passOn(inner: Socket, guard: Transform, outer: Socket): Promise<void> {
    const out = pipeline(inner, guard, this.#counter(), outer);
    const ways = [out, pipeline(outer, this.#counter(), inner)];
    await Promise.allSettled(ways);
    inner.destroy();
    outer.destroy();
  }

  async #forward(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    try {
      const url = URL.parse(asked.url ?? "");
      const wanted =
        url === null || url.protocol !== "http:" ? null : parseRegistry(`http://${url.host}`);
      if (url === null || wanted === null || url.username !== "")
        throw new Refused("this is a proxy: it takes CONNECT, and requests with the whole URL");
      const hasBody = checkBody(asked);
      const outer = await this.#route.open(wanted);
      this.#hold(outer);
      const sent = request({
        createConnection: () => outer,
        method: asked.method,
        path: `${url.pathname}${url.search}`,
        headers: { ...endToEnd(asked.headers), host: url.host, connection: "close" },
      });
      const answered = new Promise<IncomingMessage>((resolve, reject) => {
        sent.on("response", resolve);
        sent.on("error", reject);
      });
      if (hasBody)
        pipeline(asked, this.#counter(), sent).catch(() => {}); // told by `answered`
      else sent.end();
      const given = await answered;
      answer.writeHead(given.statusCode ?? 502, endToEnd(given.headers));
      await pipeline(given, this.#counter(), answer);
    } catch (error) {
      if (answer.headersSent) return void answer.destroy();
      answer.writeHead(error instanceof Refused ? 403 : 502, {
        "content-type": "text/plain",
        connection: "close",
      });
      answer.end(`${messageOf(error)}\n`);
    }
  }

  #hold(socket: Socket): void {
    this.#open.add(socket);
    socket.setTimeout(this.#limits.idleTimeoutMs, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#open.delete(socket));
  }

  #counter(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#bytes += chunk.length;
        if (this.#bytes <= this.#limits.bytesMax) return done(null, chunk);
        done(new Error(`a build may move ${this.#limits.bytesMax} bytes`));
      },
    });
  }
}

/** Methods whose bodies are framed anew on their way; with any other, what is a body here would be a second request there. */
const withBody = new Set(["POST", "PUT", "PATCH"]);

/** Whether a body follows. Throws `Refused` for one that could not be passed on as it is meant. */
function checkBody({ method = "", headers }: IncomingMessage): boolean {
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked")
    throw new Refused("a request may have the transfer encoding chunked, and no other");
  const length = headers["content-length"];
  const hasBody = coding !== undefined || (length !== undefined && Number(length) !== 0);
  if (hasBody && !withBody.has(method))
    throw new Refused(`a request has a body with ${[...withBody].join(", ")} alone, not ${method}`);
  return hasBody;
}

function endToEnd(headers: IncomingMessage["headers"]): Record<string, string | string[]> {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !hopByHop.has(name) && !named.includes(name)) kept[name] = value;
  return kept;
}
