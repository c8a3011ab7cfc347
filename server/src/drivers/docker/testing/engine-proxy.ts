import { rmSync } from "node:fs";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";

/** Stands between a driver and its engine, on a unix socket or a port of the loopback, and can go away, say nothing, or answer calls with errors of its own. */
export class EngineProxy {
  /** null: a port that is free, and the same one again. */
  readonly #path: string | null;
  #port = 0;
  readonly #target: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #isSilent = false;
  #failing: { call: RegExp; status: number; message: string } | null = null;

  /** `host`: `unix:///path` of the engine. */
  constructor(host: string, path: string | null) {
    this.#target = host.replace(/^unix:\/\//, "");
    this.#path = path;
  }

  get host(): string {
    return this.#path === null ? `tcp://127.0.0.1:${this.#port}` : `unix://${this.#path}`;
  }

  async open(): Promise<void> {
    const options = { allowHalfOpen: true, noDelay: true };
    const server = createServer(options, (socket) => this.#onConnection(socket));
    this.#server = server;
    if (this.#path !== null) rmSync(this.#path, { force: true });
    const where =
      this.#path === null ? { port: this.#port, host: "127.0.0.1" } : { path: this.#path };
    await new Promise<void>((resolve) => server.listen(where, () => resolve()));
    if (this.#path === null) this.#port = (server.address() as AddressInfo).port;
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
    const engine = connect({ path: this.#target, allowHalfOpen: true });
    for (const each of [socket, engine]) {
      this.#sockets.add(each);
      each.on("error", () => {}); // the other side sees its end
      each.once("close", () => {
        this.#sockets.delete(each);
        for (const both of [socket, engine]) both.destroy();
      });
    }
    engine.on("data", (chunk) => {
      if (!this.#isSilent) this.#pass(chunk, engine, socket);
    });
    socket.on("data", (chunk) => {
      const [line = ""] = chunk.toString("latin1").split("\r\n", 1);
      if (this.#failing?.call.test(line)) this.#answer(socket);
      else if (!this.#isSilent) this.#pass(chunk, socket, engine);
    });
    engine.on("end", () => socket.end());
    socket.on("end", () => engine.end());
  }

  #pass(chunk: string | Buffer, from: Socket, to: Socket): void {
    if (to.write(chunk)) return;
    from.pause();
    to.once("drain", () => from.resume());
  }

  #answer(socket: Socket): void {
    const { status, message } = this.#failing as { status: number; message: string };
    const body = JSON.stringify({ message });
    const head = `HTTP/1.1 ${status} Failed\r\ncontent-type: application/json\r\nconnection: close`;
    socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }
}
