import { chmodSync, rmSync } from "node:fs";
import { type Server, type Socket, createServer } from "node:net";
import { IsolaError } from "../../errors.ts";

/** One waits at a time as the protocol has it; code that opens more for itself is cut off. */
const WAITING_MAX = 8;
const WAIT_MS_MAX = 10_000;
/** Tells a waiting connection that it is in use. */
const GO = Buffer.from("\n");

/**
 * The socket that is mounted into debugged sandboxes of one revision, `open -> closed`: their relay keeps a connection waiting here, protocol/README.md, Debugger. What comes out of it
 * are bytes of the function's own sandbox, for whoever debugs that function.
 */
export class SandboxEnd {
  readonly path: string;
  readonly #server: Server;
  readonly #waiting: Socket[] = [];
  readonly #takers: ((socket: Socket) => void)[] = [];
  readonly #used = new Set<Socket>();
  readonly #onReady: () => void;

  /** `onReady`: a debugger is open inside; for each sandbox, and whenever one waits again. */
  constructor(path: string, onReady: () => void) {
    this.path = path;
    this.#onReady = onReady;
    this.#server = createServer((socket) => this.#arrived(socket));
    this.#server.on("error", () => {}); // nothing is there to be changed then, which is told below
    rmSync(path, { force: true });
    // A path is bound in this turn.
    this.#server.listen(path);
    chmodSync(path, 0o666);
  }

  /** A connection to the debugger. Rejects with `not_ready` where no sandbox has one in time. */
  async take(): Promise<Socket> {
    const socket = this.#waiting.shift() ?? (await this.#next());
    this.#used.add(socket);
    socket.once("close", () => this.#used.delete(socket));
    socket.pause();
    socket.write(GO);
    return socket;
  }

  close(): void {
    this.#server.close();
    for (const socket of [...this.#waiting, ...this.#used]) socket.destroy();
    rmSync(this.path, { force: true });
  }

  #next(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#takers.splice(this.#takers.indexOf(take), 1);
        const text = `no sandbox has opened its debugger within ${WAIT_MS_MAX} ms; the function's log may say why`;
        reject(new IsolaError("not_ready", text));
      }, WAIT_MS_MAX);
      const take = (socket: Socket) => {
        clearTimeout(timer);
        resolve(socket);
      };
      this.#takers.push(take);
    });
  }

  #arrived(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    if (this.#waiting.length >= WAITING_MAX) return void socket.destroy();
    this.#onReady();
    const taker = this.#takers.shift();
    if (taker !== undefined) return taker(socket);
    this.#waiting.push(socket);
    // Nothing may come before it is in use; its end is seen by reading alone.
    socket.resume();
    socket.once("close", () => {
      const at = this.#waiting.indexOf(socket);
      if (at !== -1) this.#waiting.splice(at, 1);
    });
  }
}
