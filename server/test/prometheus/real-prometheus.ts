import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCommand } from "../../../setup/processes.mjs";
import { eventually } from "../harness.ts";

const programs = { server: findCommand("prometheus"), tool: findCommand("promtool") };

/** Why tests with a Prometheus cannot run here; false: they can. */
export const noPrometheus: string | false =
  programs.server !== null && programs.tool !== null
    ? false
    : "Prometheus is missing: apt-get install -y --no-install-recommends prometheus";

/** Runs `promtool`; resolves with its exit code and all that it said. */
export function promtool(
  args: string[],
  input = "",
): Promise<{ code: number | string; said: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      programs.tool as string,
      args,
      { timeout: 60_000 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : (error.code ?? "killed"), said: stdout + stderr });
      },
    );
    child.stdin?.end(input);
  });
}

export interface QueryResult {
  metric: Record<string, string>;
  value: [number, string];
}

/** A Prometheus in a process of its own, with a folder of its own that goes away with it. Life: `open -> closed`. */
export class RealPrometheus {
  readonly dir: string;
  readonly #child: ChildProcess;
  readonly #url: string;
  #log = "";

  private constructor(dir: string, child: ChildProcess, url: string) {
    this.dir = dir;
    this.#child = child;
    this.#url = url;
    child.stderr?.on("data", (text) => {
      this.#log = (this.#log + String(text)).slice(-10_000);
    });
  }

  /** `files`: by name, its configuration `prometheus.yml` among them. Rejects with its log where it is not ready within 10 s. */
  static async open(files: Record<string, string>): Promise<RealPrometheus> {
    const dir = mkdtempSync(join(tmpdir(), "isola-prometheus-"));
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(dir, name), text, { mode: 0o600 });
    const port = await freePort();
    const args = [
      `--config.file=${join(dir, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(dir, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=warn",
    ];
    const child = spawn(programs.server as string, args, { stdio: ["ignore", "ignore", "pipe"] });
    const prometheus = new RealPrometheus(dir, child, `http://127.0.0.1:${port}`);
    try {
      await eventually("a Prometheus that is ready", () =>
        fetch(`${prometheus.#url}/-/ready`).then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
    } catch (error) {
      await prometheus.close();
      throw new Error(`${String(error)}\n${prometheus.#log}`, { cause: error });
    }
    return prometheus;
  }

  /** Throws with what Prometheus says of an expression that it does not take. */
  async query(expression: string): Promise<QueryResult[]> {
    const asked = new URLSearchParams({ query: expression });
    const response = await fetch(`${this.#url}/api/v1/query`, { method: "POST", body: asked });
    const answer = (await response.json()) as any;
    if (answer.status !== "success") throw new Error(`${expression}: ${answer.error}`);
    const { resultType, result } = answer.data;
    return resultType === "scalar" ? [{ metric: {}, value: result }] : result;
  }

  /** Of the one series that an expression comes to; null: none. */
  async valueOf(expression: string): Promise<number | null> {
    const [only, ...others] = await this.query(expression);
    if (others.length > 0) throw new Error(`${expression} comes to more than one series`);
    return only === undefined ? null : Number(only.value[1]);
  }

  async rules(): Promise<{ name: string; health: string; lastError?: string }[]> {
    const answer = (await (await fetch(`${this.#url}/api/v1/rules`)).json()) as any;
    return answer.data.groups.flatMap((group: { rules: unknown[] }) => group.rules);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      await ended;
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** One that nobody had a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
