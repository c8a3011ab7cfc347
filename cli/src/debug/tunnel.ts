import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { type Server, type Socket, createServer } from "node:net";
import { Failure } from "../command.ts";

const HOST = "127.0.0.1";
const ANSWER_MS_MAX = 15_000;
/** Of debuggers, at once. */
const CONNECTIONS_MAX = 32;

export interface TunnelOptions {
  /** 0: any free one. */
  port: number;
  /** What a connection of the server is asked for with; null: there is no session now. */
  target(): { url: string; headers: Record<string, string> } | null;
  onProblem(text: string): void;
}

/** A port of this machine's loopback, each connection to which is one to the debugger in a sandbox. `open -> closed`. */
export class Tunnel {
  readonly #options: TunnelOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  port = 0;

  constructor(options: TunnelOptions) {
    this.#options = options;
    this.#server = createServer({ pauseOnConnect: true }, (socket) => this.#join(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Rejects with a `Failure` where the port cannot be had. */
  async open(): Promise<void> {
    const { port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => {
        const why = error.code === "EADDRINUSE" ? "something else listens there" : error.message;
        const text = `expected a free port on ${HOST}, given ${port}: ${why}; choose another with --port, 0 takes any`;
        reject(new Failure(text));
      });
      this.#server.listen(port, HOST, resolve);
    });
    const bound = this.#server.address();
    this.port = typeof bound === "object" && bound !== null ? bound.port : port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const target = this.#options.target();
    if (target === null) return void socket.destroy();
    const url = new URL(target.url);
    const send = url.protocol === "https:" ? requestHttps : requestHttp;
    const asked = send(url, { headers: target.headers, timeout: ANSWER_MS_MAX, agent: false });
    const refuse = (why: string) => {
      asked.destroy();
      socket.destroy();
      this.#options.onProblem(`A debugger could not be connected: ${why}`);
    };
    socket.once("close", () => asked.destroy());
    asked.once("timeout", () => refuse(`the server has not answered within ${ANSWER_MS_MAX} ms`));
    asked.once("error", (error) => {
      if (!socket.destroyed) refuse(error.message);
    });
    asked.once("response", (response) => refuse(`the server answered ${response.statusCode}`));
    asked.once("upgrade", (_response, inside: Socket, head) => {
      inside.setTimeout(0);
      inside.on("error", () => inside.destroy());
      inside.once("close", () => socket.destroySoon());
      socket.once("close", () => inside.destroy());
      if (head.length > 0) socket.write(head);
      socket.pipe(inside).pipe(socket);
    });
    asked.end();
  }
}
