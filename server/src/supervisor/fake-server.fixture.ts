import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type Config, type Role, loadConfig } from "../config.ts";
import { IsolaError } from "../errors.ts";
import { runRole } from "./role.ts";
import { exitCodeOf, runSupervisor } from "./supervisor.ts";

/**
 * A server with roles that do nothing but hold connections, for the tests of the supervisor. `FAKE_GATEWAY` and `FAKE_CONTROL` choose how a role behaves:
 * `fail:<code>` and `exit` at start, `hang` while draining and closing, `stall` with a start that never ends. A call of `/block` blocks the event loop for ever.
 */
const [first, ...rest] = process.argv.slice(2);
if (first === "gateway" || first === "control")
  runRole(first, (config) => startFake(first, config));
else await supervise(first === undefined ? [] : [first, ...rest]);

async function startFake(name: "gateway" | "control", config: Config): Promise<Role> {
  const behaviour = process.env[`FAKE_${name.toUpperCase()}`] ?? "";
  if (behaviour === "fail") throw new IsolaError("driver_unavailable", "as the test wants it");
  if (behaviour === "exit") process.exit(9);
  if (behaviour === "stall") await new Promise(() => setInterval(() => {}, 60_000));
  // The head of the answer goes out at once, its body once the whole request is there.
  const server = createServer((request, response) => {
    while (request.url === "/block");
    response.flushHeaders();
    request.resume().on("end", () => response.end(`${name} of ${process.pid}`));
  });
  const host = name === "gateway" ? config.gatewayHost : config.controlHost;
  const port = name === "gateway" ? config.gatewayPort : config.controlPort;
  await listen(server, host, port);
  const hang = behaviour === "hang" ? new Promise<void>(() => {}) : null;
  return {
    address: { host, port: (server.address() as AddressInfo).port },
    async drain() {
      await (hang ?? new Promise<void>((resolve) => server.close(() => resolve())));
    },
    async close() {
      await hang;
      server.closeAllConnections();
      server.close();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
}

async function supervise(argv: string[]): Promise<void> {
  try {
    const config = loadConfig({ argv, env: {}, cwd: process.cwd() });
    const entry = fileURLToPath(import.meta.url);
    const repeatMs = Number(process.env.FAKE_REPEAT_MS ?? 500);
    const stallMs = Number(process.env.FAKE_STALL_MS ?? 60_000);
    const watch = { pingMs: 50, stallMs: { gateway: stallMs, control: stallMs } };
    process.exit(await runSupervisor(config, { entry, repeatMs, watch }));
  } catch (error) {
    if (!(error instanceof IsolaError)) throw error;
    process.stderr.write(`isola: ${error.message}\n`);
    process.exit(exitCodeOf(error));
  }
}
