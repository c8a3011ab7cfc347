import pino, { type Logger } from "pino";
import type { Config, Role, RoleName, StartRole } from "../config.ts";
import { IsolaError, messageOf } from "../errors.ts";
import { armFailPoints } from "../fail-points.ts";
import type { FromRole, ToRole } from "./messages.ts";

type State = "waiting" | "starting" | "ready" | "draining" | "closing";

const moves: Record<State, readonly State[]> = {
  waiting: ["starting", "closing"],
  starting: ["ready", "closing"],
  ready: ["draining", "closing"],
  draining: ["closing"],
  closing: [],
};

/** Without a supervisor nobody will ever ask for more time. */
const ORPHAN_CLOSE_MS = 5000;
/** Log text held while stderr does not take it; beyond this, lines are dropped rather than an invocation delayed. */
const LOG_BYTES_MAX = 1_048_576;

/**
 * The life of a role's process: `waiting -> starting -> ready -> draining -> closing`, then it exits. It obeys the supervisor alone: signals, which a
 * terminal sends to the whole group, are left to it. When the supervisor is gone, the role closes and exits.
 */
export function runRole(name: RoleName, start: StartRole): void {
  if (!process.send) {
    process.stderr.write(`isola: the ${name} role is started by the server itself: \`isola up\`\n`);
    process.exit(1);
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  let state: State = "waiting";
  let starting: Promise<Role | null> = Promise.resolve(null);
  let log: Logger | null = null;

  function move(to: State): boolean {
    if (!moves[state].includes(to)) return false;
    state = to;
    return true;
  }

  async function onStart({ config, boot }: ToRole & { type: "start" }): Promise<Role | null> {
    const destination = pino.destination({ dest: 2, sync: false, maxLength: LOG_BYTES_MAX });
    process.on("exit", () => destination.flushSync());
    log = pino({ level: config.logLevel, base: { role: name } }, destination);
    try {
      const warning = armFailPoints(process.env.ISOLA_FAIL_POINTS);
      if (warning !== null) log.error(warning);
      const role = await start(Object.freeze(config), { ...boot, log });
      if (move("ready")) tell({ type: "ready", address: role.address });
      return role;
    } catch (error) {
      const failure = startFailure(error, name, config);
      // What an operator can mend is told in one line by the supervisor; a defect needs its stack.
      if (failure.code === "internal_error") log.fatal({ err: error }, "could not start");
      tell({ type: "failed", code: failure.code, message: failure.message }, () => process.exit(1));
      return null;
    }
  }

  async function onDrain(): Promise<void> {
    if (!move("draining")) return;
    const role = await starting;
    await role?.drain();
    tell({ type: "drained" });
  }

  async function onClose(exitCode: number): Promise<void> {
    if (!move("closing")) return;
    const role = await starting;
    await role?.close();
    process.exit(exitCode);
  }

  process.on("message", (message: ToRole) => {
    if (message.type === "start" && move("starting")) starting = onStart(message);
    if (message.type === "ping") tell({ type: "pong" });
    if (message.type === "drain") void onDrain();
    if (message.type === "close") void onClose(0);
  });
  process.on("disconnect", () => {
    log?.error("the supervisor is gone: closing");
    setTimeout(() => process.exit(1), ORPHAN_CLOSE_MS).unref();
    void onClose(1);
  });
}

/** A message that finds the channel closed needs no answer: `disconnect` follows. */
function tell(message: FromRole, then: () => void = () => {}): void {
  if (!process.connected || !process.send) return then();
  process.send(message, then);
}

function startFailure(error: unknown, name: RoleName, config: Config): IsolaError {
  if (error instanceof IsolaError) return error;
  const system = error as NodeJS.ErrnoException;
  if (system.syscall === "listen") return listenFailure(system, name, config);
  return new IsolaError("internal_error", `the ${name} could not start: ${messageOf(error)}`);
}

/** The gateway's listener says it itself. */
function listenFailure(cause: NodeJS.ErrnoException, name: RoleName, config: Config): IsolaError {
  const [host, port] =
    name === "gateway"
      ? [config.gatewayHost, config.gatewayPort]
      : [config.controlHost, config.controlPort];
  const [flag, variable] = [`--${name}`, `ISOLA_${name.toUpperCase()}`];
  const message =
    cause.code === "EADDRINUSE"
      ? `port ${port} on ${host} is taken: stop what listens there, or choose another with ${flag}-port or ${variable}_PORT (0 takes any free one)`
      : `the ${name} cannot listen on ${host}, port ${port}: ${messageOf(cause)}; choose others with ${flag}-host and ${flag}-port`;
  return new IsolaError("port_taken", message, { cause });
}
