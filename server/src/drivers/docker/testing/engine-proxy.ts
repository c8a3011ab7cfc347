import { rmSync } from "node:fs";
import { type Server, type Socket, connect, createServer } from "node:net";

/** Stands between a driver and its engine, on a unix socket, and can go away, say nothing, or answer calls with errors of its own. */
export class EngineProxy {
  readonly path: string;
  readonly #target: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #isSilent = false;
  #failing: { call: RegExp; status: number; message: string } | null = null;

  /** `host`: `unix:///path` of the engine. */
  constructor(host: string, path: string) {
    this.#target = host.replace(/^unix:\/\//, "");
    this.path = path;
  }

  get host(): string {
    return `unix://${this.path}`;
  }

  async open(): Promise<void> {
    const server = createServer((socket) => this.#onConnection(socket));
    this.#server = server;
    rmSync(this.path, { force: true });
    await new Promise<void>((resolve) => server.listen(this.path, () => resolve()));
  }

  /** As an engine that stops: every connection breaks, and nobody listens. */
  async goAway(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    const closed = new Promise<void>((resolve) =>
      server ? server.close(() => resolve()) : resolve(),
    );
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** As an engine that hangs: connections are taken, and nothing is answered from now on. */
  setSilent(isSilent: boolean): void {
    this.#isSilent = isSilent;
  }

  /** Calls whose first line matches are answered with this error; null: none. */
  fail(failing: { call: RegExp; status: number; message: string } | null): void {
    this.#failing = failing;
  }

  #onConnection(socket: Socket): void {
    const engine = connect(this.#target);
    for (const each of [socket, engine]) {
      this.#sockets.add(each);
      each.on("error", () => {}); // the other side sees its end
      each.once("close", () => {
        this.#sockets.delete(each);
        for (const both of [socket, engine]) both.destroy();
      });
    }
    engine.on("data", (chunk) => {
      if (!this.#isSilent) socket.write(chunk);
    });
    socket.on("data", (chunk) => {
      const [line = ""] = chunk.toString("latin1").split("\r\n", 1);
      if (this.#failing?.call.test(line)) this.#answer(socket);
      else if (!this.#isSilent) engine.write(chunk);
    });
  }

  #answer(socket: Socket): void {
    const { status, message } = this.#failing as { status: number; message: string };
    const body = JSON.stringify({ message });
    const head = `HTTP/1.1 ${status} Failed\r\ncontent-type: application/json\r\nconnection: close`;
    socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }
}
