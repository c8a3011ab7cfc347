import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@isola/api/client";
import type { CreateFunction } from "@isola/api/functions";
import type { DriverName } from "../../server/src/domain/function.ts";
import { type Answer, HttpConnection } from "../../server/src/comparisons/http-connection.ts";
import { stopChild } from "./child.ts";
import { type Family, sourceOf, type Style } from "./isola-source.ts";

const startMsMax = 30_000;
const refillMsMax = 10_000;
const pollMs = 10;

export interface DeployOptions {
  family: Family;
  style?: Style;
  /** What a GET is answered with. */
  text?: string;
  settings?: Partial<CreateFunction>;
}

/** A whole Isola, in a data folder of its own, on free ports. Lives from `start` to `close`. */
export class IsolaServer {
  static readonly entry = fileURLToPath(new URL("../../server/src/main.ts", import.meta.url));
  readonly entry = IsolaServer.entry;
  readonly rootPid: number;
  /** In the path of the control groups of its sandboxes, wherever those are children of. */
  readonly mark: string;
  readonly gatewayPort: number;
  /** Records of the last calls reach the store this much later, in the longest case. */
  readonly settleMs = 1100;
  #child: ChildProcess;
  #api: Client;
  readonly #scrapeUrl: string;
  readonly #key: string;

  private constructor(
    child: ChildProcess,
    urls: { functions: string; api: string },
    { key, nodeId }: { key: string; nodeId: string },
  ) {
    this.#child = child;
    this.mark = `/isola.${nodeId}.`;
    this.rootPid = child.pid as number;
    this.gatewayPort = Number(new URL(urls.functions).port);
    this.#api = createClient({ url: urls.api, apiKey: key });
    this.#scrapeUrl = `${urls.api}/metrics`;
    this.#key = key;
  }

  /** `blanks`: how many blank sandboxes of each runtime it keeps, on `driver`. */
  static async start(
    dataDir: string,
    options: { blanks: number; driver?: string; env?: Record<string, string> },
  ): Promise<IsolaServer> {
    const blanks = String(options.blanks);
    const child = fork(IsolaServer.entry, [], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: {
        ...process.env,
        ISOLA_DATA: dataDir,
        ISOLA_GATEWAY_PORT: "0",
        ISOLA_CONTROL_PORT: "0",
        ISOLA_BLANK_NODEJS: blanks,
        ISOLA_BLANK_PYTHON: blanks,
        ISOLA_LOG_LEVEL: "warn",
        ISOLA_DEFAULT_DRIVER: options.driver ?? "process",
        ...options.env,
      },
    });
    let stderr = "";
    child.stderr?.on("data", (text) => {
      stderr = (stderr + text).slice(-4000);
    });
    try {
      const signal = AbortSignal.timeout(startMsMax);
      const ended = once(child, "exit", { signal }).then(() => null);
      const ready = once(child, "message", { signal }).then(([message]) => message);
      const urls = await Promise.race([ready, ended]);
      if (urls === null) throw new Error("it exited");
      const read = (name: string) => readFileSync(join(dataDir, name), "utf8").trim();
      const server = new IsolaServer(child, urls, {
        key: read("admin-key"),
        nodeId: read("node-id"),
      });
      await server.blanksReady();
      return server;
    } catch (error) {
      await stopChild(child);
      throw new Error(`Isola does not start: ${error}\n${stderr}`, { cause: error });
    }
  }

  connect(): Promise<HttpConnection> {
    return HttpConnection.open({ port: this.gatewayPort }, { keepsBodies: true });
  }

  async deploy(name: string, options: DeployOptions): Promise<void> {
    const code = { files: sourceOf(options) };
    const { family, settings } = options;
    await this.#api.createFunction({ name, runtime: family, ...settings, code });
  }

  async deployFiles(
    name: string,
    files: Record<string, string>,
    settings: Partial<CreateFunction>,
  ): Promise<void> {
    await this.#api.createFunction({ name, runtime: "nodejs", ...settings, code: { files } });
  }

  async replaceCode(name: string, options: DeployOptions): Promise<void> {
    await this.#api.putCode(name, { files: sourceOf(options) });
  }

  async remove(name: string): Promise<void> {
    await this.#api.deleteFunction(name);
  }

  /** Resolves when every blank pool is full. */
  async blanksReady(): Promise<void> {
    const until = performance.now() + refillMsMax;
    while (true) {
      const { gateway } = await this.#api.getSystem();
      if (gateway?.blankPools.every((pool) => pool.ready >= pool.target)) return;
      if (performance.now() > until) throw new Error("the blank sandboxes are not refilled");
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  /** After this the records of all calls made so far are in the store. */
  async settled(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.settleMs));
  }

  /** How the sandbox that gave the answer came to be; only after `settled`. */
  async startKindOf(answer: Answer): Promise<string> {
    return (await this.#recordOf(answer)).startKind ?? "none";
  }

  /** Run and kill of a call that was ended at its deadline, in ms; only after `settled`. */
  async endOf(answer: Answer): Promise<{ runMs: number; killMs: number }> {
    const { runMs, killMs, outcome } = await this.#recordOf(answer);
    if (outcome !== "timeout" || runMs === null || killMs === null)
      throw new Error(`the call ended as ${outcome}, run ${runMs} ms, killed in ${killMs} ms`);
    return { runMs, killMs };
  }

  #recordOf({ head }: Answer) {
    const id = /\r\nisola-request-id: *(\S+)/i.exec(head)?.[1];
    if (id === undefined) throw new Error(`no isola-request-id in ${head}`);
    return this.#api.getInvocation(id);
  }

  /** A driver with its tier, as the server tells it; null where it cannot run. */
  async isolationOf(driver: DriverName): Promise<string | null> {
    const { isolation } = await this.#api.getHealth();
    const found = isolation?.find((each) => each.driver === driver);
    return found === undefined ? null : `${driver} (${found.tier})`;
  }

  /** As Prometheus does. */
  async scrape(): Promise<string> {
    const headers = { authorization: `Bearer ${this.#key}` };
    const answer = await fetch(this.#scrapeUrl, { headers });
    if (answer.status !== 200) throw new Error(`a scrape was answered with ${answer.status}`);
    return await answer.text();
  }

  /** How many sandboxes the function has now. */
  async sandboxesOf(name: string): Promise<number> {
    const { gateway } = await this.#api.getSystem();
    const pools = gateway?.pools.filter((pool) => pool.functionName === name) ?? [];
    return pools
      .flatMap(({ sandboxes }) => Object.values(sandboxes))
      .reduce((sum, count) => sum + count, 0);
  }

  async close(): Promise<void> {
    await stopChild(this.#child);
  }
}
