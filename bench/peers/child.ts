import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { HttpConnection, requestBytes } from "../../server/src/comparisons/http-connection.ts";
import { helloText } from "../payload.ts";

const startMsMax = 20_000;
const stopMsMax = 10_000;

/** A server process; what it says on stderr is shown only when it fails to start. */
export class ServerProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  #stderr = "";

  constructor(command: string, args: string[], options: SpawnOptions = {}) {
    this.child = spawn(command, args, { ...options, stdio: ["ignore", "ignore", "pipe"] });
    if (this.child.pid === undefined) throw new Error(`${command} cannot be started`);
    this.pid = this.child.pid;
    this.child.stderr?.on("data", (text) => {
      this.#stderr = (this.#stderr + text).slice(-4000);
    });
  }

  /** Resolves when a GET of `path` is answered as every subject answers it. */
  async answers(port: number, path: string): Promise<void> {
    const until = performance.now() + startMsMax;
    while (true) {
      if (this.child.exitCode !== null) throw new Error(`exited early: ${this.#stderr}`);
      const seen = await tryHello(port, path);
      if (seen === helloText) return;
      if (performance.now() > until) throw new Error(`no hello, but ${seen}: ${this.#stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Asks, then kills. */
  async stop(): Promise<void> {
    await stopChild(this.child);
  }
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopMsMax);
  await exited;
  clearTimeout(timer);
}

async function tryHello(port: number, path: string): Promise<string> {
  let connection: HttpConnection | null = null;
  try {
    connection = await HttpConnection.open({ port }, { keepsBodies: true });
    const { body } = await connection.call(requestBytes(path));
    return String(body);
  } catch (error) {
    // Not listening yet, most likely; the caller tries again and gives up by the clock.
    return String(error);
  } finally {
    connection?.close();
  }
}

/** A port that was free a moment ago. For servers that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
