import { type Server, type Socket, connect, createServer } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { GuestPorts } from "./qemu-guest.ts";

const LINE_BYTES_MAX = 4096;
const REDIAL_MS = 5;
const REDIAL_MS_MAX = 10_000;
const streams = { control: 1024, stdout: 1025, stderr: 1026, socket: 1028 } as const;
const AGENT = 1027;

/**
 * The host's side of Firecracker's vsock: what the guest dials reaches the unix socket `<uds path>_<port>`. The guest has serial ports instead, and init's part of dialling is played here:
 * the agent's port is dialled with its first word, and anew where it breaks; those of the streams when the host says `start`.
 */
export class VsockHost {
  readonly #udsPath: string;
  /** Whether init has a socket to carry, and dials for it. */
  readonly #hasSocket: boolean;
  readonly #ports: GuestPorts;
  readonly #sockets: Socket[] = [];
  /** What init says on a connection that is not its first. */
  #greeting: string;
  #isOver = false;
  #agent: Socket | null = null;
  #dialling: Promise<boolean> | null = null;

  constructor(
    { udsPath, hasSocket }: { udsPath: string; hasSocket: boolean },
    ports: GuestPorts,
    greeting: string | null,
  ) {
    this.#udsPath = udsPath;
    this.#hasSocket = hasSocket;
    this.#ports = ports;
    this.#greeting = greeting ?? "up 1\n";
    eachLine(ports.agent, (line) => this.#fromGuest(line));
    ports.agent.once("end", () => void this.#agent?.end());
    // What was restored says nothing on its own, and init would dial again.
    if (greeting !== null) void this.#redial();
  }

  get greeting(): string {
    return this.#greeting;
  }

  /** Resolves when all that the guest has written was taken, or nobody takes it. */
  async over(): Promise<void> {
    this.#isOver = true;
    const left = this.#sockets.filter((socket) => !socket.closed);
    await Promise.all(
      left.map((socket) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        socket.once("close", () => resolve());
        socket.end(() => resolve());
        return promise;
      }),
    );
  }

  async #fromGuest(line: string): Promise<void> {
    if (line === "gate\n" || line === "up 1\n") this.#greeting = line;
    if (this.#agent === null && !(await this.#reachAgent())) return;
    this.#agent?.write(line);
  }

  async #redial(): Promise<void> {
    if (await this.#reachAgent()) this.#agent?.write(this.#greeting);
  }

  async #reachAgent(): Promise<boolean> {
    this.#dialling ??= this.#dialAgent();
    const isThere = await this.#dialling;
    this.#dialling = null;
    return isThere;
  }

  async #dialAgent(): Promise<boolean> {
    for (const until = performance.now() + REDIAL_MS_MAX; performance.now() < until; ) {
      const socket = await this.#dial(AGENT);
      if (socket !== null) {
        this.#agent = socket;
        eachLine(socket, (line) => this.#fromHost(line));
        socket.once("close", () => {
          this.#agent = null;
          if (!this.#isOver) void this.#redial();
        });
        return true;
      }
      await delay(REDIAL_MS);
    }
    return false;
  }

  async #fromHost(line: string): Promise<void> {
    const [number, word] = line.split(" ");
    if (word === "start") {
      for (const [name, port] of Object.entries(streams)) {
        if (name === "socket" && !this.#hasSocket) continue;
        const socket = await this.#dial(port);
        if (socket === null) {
          this.#agent?.write(`${number} failed vsock port ${port}: Connection reset by peer\n`);
          return;
        }
        const guest = this.#ports[name as keyof typeof streams];
        guest.pipe(socket);
        socket.pipe(guest, { end: false });
      }
    }
    this.#ports.agent.write(line);
  }

  async #dial(port: number): Promise<Socket | null> {
    const socket = connect({ path: `${this.#udsPath}_${port}`, allowHalfOpen: true });
    return await new Promise((resolve) => {
      socket.on("error", () => resolve(null)); // refused: the guest sees its connection reset
      socket.once("connect", () => {
        this.#sockets.push(socket);
        resolve(socket);
      });
    });
  }
}

/** Listens where the host would connect to the guest. Nobody in the guest does, so each connection is closed once it has asked. Rejects where the path is taken. */
export async function listenForHost(udsPath: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(udsPath, () => resolve());
  });
  return server;
}

/** One after the other, in order. */
function eachLine(stream: Duplex, onLine: (line: string) => Promise<void>): void {
  let text = "";
  let last = Promise.resolve();
  stream.on("data", (part: Buffer) => {
    text += part.toString("latin1");
    const lines = text.split("\n");
    text = (lines.pop() ?? "").slice(-LINE_BYTES_MAX);
    for (const line of lines) last = last.then(() => onLine(`${line}\n`));
  });
  stream.on("error", () => {}); // its end is told by `close`
}
