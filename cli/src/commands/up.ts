import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Command } from "../command.ts";

const server = fileURLToPath(new URL("../../../server/src/main.ts", import.meta.url));
const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The server is a program of its own: it reads its settings and prints its help. */
export const upCommand: Command = {
  usage: "up [settings...]",
  positionals: { settings: { help: "as flags, as docs/settings.md has them" } },
  summary: "Start the server in the foreground; `isola up --help` lists its settings",
  examples: [{ line: "isola up --gateway-port 9000", says: "settings.md has them all" }],
  isPassThrough: true,
  async run(context, args) {
    const child = spawn(process.execPath, [server, ...args], {
      stdio: "inherit",
      env: context.env,
      cwd: context.cwd,
    });
    const pass = (signal: NodeJS.Signals) => void child.kill(signal);
    for (const signal of stopSignals) process.on(signal, pass);
    const [code] = (await once(child, "exit")) as [number | null];
    for (const signal of stopSignals) process.off(signal, pass);
    return { json: undefined, text: "", exitCode: code ?? 1 };
  },
};
