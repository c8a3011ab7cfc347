import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../src/main.ts", import.meta.url));

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed body; undefined when it is not JSON. */
  json: any;
}

/** A whole server in a process of its own, on free ports and a data folder that goes away with it. */
export class TestServer {
  readonly dataDir: string;
  readonly #env: Record<string, string>;
  #child: ChildProcess | null = null;
  #log = "";
  gatewayUrl = "";
  apiUrl = "";
  adminKey = "";

  constructor(env: Record<string, string> = {}) {
    this.dataDir = mkdtempSync(join(tmpdir(), "isola-test-"));
    this.#env = env;
  }

  /** Resolves when both listeners answer. Rejects with the server's log when it ends before. `more`: variables of this life alone. */
  async start(more: Record<string, string> = {}): Promise<this> {
    const env = {
      ...process.env,
      ISOLA_DATA: this.dataDir,
      ISOLA_GATEWAY_PORT: "0",
      ISOLA_CONTROL_PORT: "0",
      ISOLA_LOG_LEVEL: "warn",
      ISOLA_DEFAULT_DRIVER: "process",
      ...this.#env,
      ...more,
    };
    const child = fork(entry, [], { env, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    this.#child = child;
    child.stdout?.on("data", (text) => this.#keep(text));
    child.stderr?.on("data", (text) => this.#keep(text));
    const ready = await Promise.race([
      once(child, "message").then(([message]) => message as { gateway: string; api: string }),
      once(child, "exit").then(() => null),
    ]);
    if (ready === null) throw new Error(`the server did not start:\n${this.#log}`);
    this.gatewayUrl = ready.gateway;
    this.apiUrl = ready.api;
    this.adminKey = readFileSync(join(this.dataDir, "admin-key"), "utf8").trim();
    return this;
  }

  /** What the server has logged. */
  get log(): string {
    return this.#log;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  api(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const auth = { authorization: `Bearer ${this.adminKey}` };
    if (body === undefined)
      return request(this.apiUrl + path, { method, headers: { ...auth, ...headers } });
    const isRaw = body instanceof Uint8Array;
    return request(this.apiUrl + path, {
      method,
      headers: { ...auth, ...(isRaw ? {} : { "content-type": "application/json" }), ...headers },
      body: isRaw ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body),
    });
  }

  call(path: string, init: RequestInit = {}): Promise<Answer> {
    return request(this.gatewayUrl + path, init);
  }

  /** Creates a function and returns its resource. Throws where that fails. */
  async deploy(
    name: string,
    files: Record<string, string>,
    settings: Record<string, unknown> = {},
  ): Promise<any> {
    const body = { name, runtime: "nodejs", code: { files }, ...settings };
    const answer = await this.api("POST", "/api/v1/functions", body);
    if (answer.status !== 201)
      throw new Error(`deploy of ${name}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  /** Ends the server as a person would; resolves with its exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null;
    const exit = once(child, "exit");
    child.kill(signal);
    const [code] = await exit;
    this.#child = null;
    return code as number | null;
  }

  /** Stops it where it still runs, and removes the data folder. */
  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  #keep(text: string | Buffer): void {
    this.#log = (this.#log + text.toString()).slice(-100_000);
  }
}

async function request(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

function parse(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

let eventuallyMsMax = 10_000;

/** Of this process, before any test begins: where everything takes that many times as long as elsewhere. */
export function allowSlowness(factor: number): void {
  eventuallyMsMax *= factor;
}

/** Asks again until `probe` gives something, every 20 ms, for at most 10 s. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | null | false>,
): Promise<T> {
  for (const end = performance.now() + eventuallyMsMax; ; ) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) return value;
    if (performance.now() > end) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what} did not happen within ${eventuallyMsMax / 1000} s`);
}

/** The process that serves the functions listener. */
export function gatewayOf(server: TestServer): number {
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, "utf8");
  const isGateway = (pid: string) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes("gateway");
  return Number(children.trim().split(" ").find(isGateway));
}
