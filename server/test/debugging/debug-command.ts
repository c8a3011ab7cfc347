import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type TestServer, eventually } from "../harness.ts";

const program = fileURLToPath(new URL("../../../cli/src/main.ts", import.meta.url));

/** A line of `isola debug --json`. */
export interface Told {
  type?: string;
  port?: number;
  revision?: number;
  [member: string]: unknown;
}

/** `isola debug <name>` as a user runs it: `running -> ended`. */
export class DebugCommand {
  readonly told: Told[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #port = Promise.withResolvers<number>();

  constructor(server: TestServer, name: string, options: string[] = []) {
    this.#child = spawn(
      process.execPath,
      [program, "debug", name, "--port", "0", "--json", ...options],
      {
        env: { ...process.env, ISOLA_URL: server.apiUrl, ISOLA_API_KEY: server.adminKey },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    this.#ended = once(this.#child, "close");
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    let text = "";
    lines.on("line", (line) => {
      // Its last words are laid out in several lines.
      text += line;
      const value = parsed(text);
      if (value === null) return;
      text = "";
      this.told.push(value);
      if (value.type === "session") this.#port.resolve(value.port as number);
    });
  }

  /** Resolves with the port, once a debugger can be attached; the server gives that a minute. */
  async port(): Promise<number> {
    const port = await Promise.race([this.#port.promise, this.#ended.then(() => null)]);
    if (port === null) throw new Error(`it ended: ${JSON.stringify(this.told)}`);
    return port;
  }

  /** Resolves with the first line that holds. */
  tells(what: string, isMeant: (told: Told) => boolean): Promise<Told> {
    return eventually(what, async () => this.told.find(isMeant));
  }

  /** Resolves with its exit code. */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal !== undefined) this.#child.kill(signal);
    await this.#ended;
    return this.#child.exitCode;
  }
}

function parsed(text: string): Told | null {
  try {
    return JSON.parse(text) as Told;
  } catch {
    return null; // its end is still to come
  }
}
