import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { forEachLine } from "./log-lines.ts";

const fakeServer = fileURLToPath(new URL("fake-server.fixture.ts", import.meta.url));

interface Line {
  msg: string;
  child?: string;
  pid?: number;
  port?: number;
  functions?: string;
  signal?: string;
  exitCode?: number;
  bootId?: string;
}

/** A server of fake roles and its log, which a test reads line by line. */
export class Running {
  readonly process: ChildProcess;
  readonly lines: Line[] = [];
  readonly text: string[] = [];
  readonly exited: Promise<unknown[]>;
  #waiting: (() => void)[] = [];
  #read = 0;

  constructor(data: string, options: { env?: Record<string, string>; argv?: string[] }) {
    const ports = ["--gateway-port", "0", "--control-port", "0"];
    const argv = [fakeServer, "--data", data, ...ports, ...(options.argv ?? [])];
    const env = { PATH: process.env.PATH, ...options.env };
    this.process = spawn(process.execPath, argv, { env, stdio: ["ignore", "ignore", "pipe"] });
    this.exited = once(this.process, "close");
    assert.ok(this.process.stderr);
    forEachLine(this.process.stderr, (line) => {
      if (line.startsWith("{")) this.lines.push(JSON.parse(line) as Line);
      else this.text.push(line);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  /** The next line, in order, that a test asks for; each is given once. */
  async line(msg: string, child?: string): Promise<Line> {
    const ended = this.exited.then(() => "ended");
    for (;;) {
      for (; this.#read < this.lines.length; ) {
        const line = this.lines[this.#read] as Line;
        this.#read += 1;
        if (line.msg === msg && (child === undefined || line.child === child)) return line;
      }
      const woken = new Promise<void>((resolve) => void this.#waiting.push(resolve));
      const state = await Promise.race([woken, ended]);
      if (state && this.#read === this.lines.length) {
        assert.fail(`ended without "${msg}": ${JSON.stringify([...this.lines, this.text])}`);
      }
    }
  }

  async exitCode(): Promise<number | null> {
    await this.exited;
    return this.process.exitCode;
  }
}

/** A running server of fake roles that ends with the test. */
export function start(
  t: TestContext,
  options: { env?: Record<string, string>; argv?: string[]; data?: string } = {},
): Running {
  const data = options.data ?? mkdtempSync(join(tmpdir(), "isola-supervisor-"));
  const running = new Running(data, options);
  t.after(async () => {
    running.process.kill("SIGKILL");
    await running.exited; // stderr is closed when the roles have gone too
    rmSync(data, { recursive: true, force: true });
  });
  return running;
}

/** Resolves when the process has ended; one that nobody has reaped yet counts as ended. */
export async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      if (/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return;
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise(setImmediate);
  }
}
