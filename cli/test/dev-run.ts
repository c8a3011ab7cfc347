import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { DevEvent } from "../src/dev/dev-events.ts";

const program = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const UNTIL_MS_MAX = 30_000;

type Named<K extends DevEvent["event"]> = Extract<DevEvent, { event: K }>;

/** `isola dev --json` as a process of its own. */
export class DevRun {
  readonly child: ChildProcess;
  readonly events: DevEvent[] = [];
  #rest = "";
  #said = "";
  #wake = () => {};

  constructor(args: readonly string[], given: { cwd: string; env?: Record<string, string> }) {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      ISOLA_DEFAULT_DRIVER: "process",
      ...given.env,
    };
    const argv = [program, "dev", ...args, "--json"];
    const { cwd } = given;
    this.child = spawn(process.execPath, argv, { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout?.on("data", (chunk: Buffer) => this.#take(chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
    this.child.once("exit", () => this.#wake());
  }

  /** The first event of that kind behind `from` for which `holds`. */
  async until<K extends DevEvent["event"]>(
    kind: K,
    holds: (event: Named<K>) => boolean = () => true,
    from = 0,
  ): Promise<Named<K>> {
    const limit = AbortSignal.timeout(UNTIL_MS_MAX);
    limit.addEventListener("abort", () => this.#wake());
    for (;;) {
      const found = this.events
        .slice(from)
        .find((event): event is Named<K> => event.event === kind && holds(event as Named<K>));
      if (found !== undefined) return found;
      if (limit.aborted || this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(
          `no ${kind} came: ${JSON.stringify(this.events.slice(from))} ${this.#said}`,
        );
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves with the exit code. */
  async end(signal: NodeJS.Signals = "SIGINT"): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, "exit");
      this.child.kill(signal);
      await exit;
    }
    return this.child.exitCode;
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.events.push(JSON.parse(line) as DevEvent);
    this.#wake();
  }
}
