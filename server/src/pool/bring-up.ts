import {
  ChannelClosed,
  type DebugInit,
  InitRefused,
  type Ready,
} from "@isola/protocol/channel-types";
import type { Clock } from "../domain/clock.ts";
import { type DeployedFunction, unpackedBytesOf } from "../domain/function.ts";
import { fixedLimits } from "../domain/limits.ts";
import type { Driver, RuntimeSpec, Equipment } from "../drivers/driver.ts";
import { IsolaError, messageOf } from "../errors.ts";
import { failPoint } from "../fail-points.ts";
import type { DebugEquipment } from "./own-blanks.ts";
import type { MemoryHolder } from "./memory-budget.ts";
import type { PooledSandbox } from "./pooled-sandbox.ts";
import type { StartAttempt } from "./start-attempt.ts";
import { type Starter, sandboxLimits } from "./starter.ts";

/** What `artifacts/canonical-tar.ts` ends each archive with. */
const TAR_END_BYTES = 1024;

export interface BringUpOptions {
  fn: DeployedFunction;
  driver: Driver;
  runtime: RuntimeSpec;
  /** Of builds alone. */
  equipment?: Equipment;
  debug?: DebugEquipment;
  clock: Clock;
  starter: Starter;
  /** The project, which holds the memory. */
  share: MemoryHolder;
  /** The canonical tar of an artifact. */
  code(digest: string, bytes: number): Iterable<Buffer> | AsyncIterable<Buffer>;
}

/**
 * Turns a blank sandbox, or a fresh one, into an idle sandbox of the function, within `initTimeoutMs`, whatever the driver, the disk or the sandbox do. `onSandbox`
 * takes over the sandbox before any byte of the tenant enters it. Never rejects: returns why it failed, and then the sandbox is being destroyed.
 */
export async function bringUp(
  options: BringUpOptions,
  attempt: StartAttempt,
  blank: PooledSandbox | null,
  onSandbox: (sandbox: PooledSandbox) => void,
): Promise<IsolaError | null> {
  const { clock, fn } = options;
  const cancelDeadline = clock.after(fn.settings.initTimeoutMs, () => attempt.expire());
  const loading = load(options, attempt, blank, onSandbox).then(
    () => null,
    (error: unknown) => failureOf(fn, attempt, error),
  );
  const ending = attempt.ended.then(() => endOf(fn, attempt));
  try {
    return await Promise.race([loading, ending]);
  } finally {
    cancelDeadline();
  }
}

async function load(
  options: BringUpOptions,
  attempt: StartAttempt,
  blank: PooledSandbox | null,
  onSandbox: (sandbox: PooledSandbox) => void,
): Promise<void> {
  const { driver, runtime, starter, clock, fn, share } = options;
  const { memoryMiB, tmpMiB } = fn.settings;
  attempt.kind = blank === null ? "cold" : "prewarmed";
  const take = (taken: PooledSandbox) => {
    attempt.sandbox = taken;
    onSandbox(taken);
  };
  if (blank !== null) take(blank);
  const request = {
    ...{ driver, runtime, memoryMiB, tmpMiB, holder: share, onSandbox: take },
    ...(fn.settings.network === "internet" && { egressOf: fn.project }),
    ...equipmentOf(options),
  };
  const sandbox = blank ?? (await starter.start(request, attempt.abort.signal));
  if (blank === null && sandbox.startedFrom === "snapshot") attempt.kind = "restored";
  const initStartedAt = clock.now();
  if (sandbox.state === "dead" || attempt.abort.signal.aborted)
    throw new ChannelClosed(sandbox.channel.ended ?? { reason: "given up", isBreach: false });
  sandbox.claim();
  sandbox.dueBy(attempt.startedAt + fn.settings.initTimeoutMs);
  await failPoint("claim.before-init");
  // A blank sandbox has the limits of the smallest function, so the code may come while they are raised.
  const limited = sandbox.applyLimits(sandboxLimits(memoryMiB, unpackedBytesOf(fn)));
  limited.catch(() => {}); // awaited below
  const ready = await init(options, sandbox);
  await failPoint("claim.initialised");
  await limited;
  const { ended } = sandbox.channel;
  if (ended !== null) throw new ChannelClosed(ended); // in the same breath
  sandbox.initMs = clock.now() - initStartedAt;
  sandbox.open(ready, clock.now());
}

function equipmentOf({ equipment, debug }: BringUpOptions): { equipment?: Equipment } {
  if (debug !== undefined) return { equipment: { hasTools: false, sockets: [debug.socket] } };
  return equipment === undefined ? {} : { equipment };
}

function init(options: BringUpOptions, sandbox: PooledSandbox): Promise<Ready> {
  const { debug } = options;
  const { settings, project, name, revision } = options.fn;
  return sandbox.channel.init(
    {
      sandbox: sandbox.id,
      project,
      function: name,
      revision,
      handler: settings.handler,
      concurrency: settings.concurrency,
      memoryMiB: debug?.memoryMiB ?? settings.memoryMiB,
      timeoutMs: settings.timeoutMs,
      initTimeoutMs: settings.initTimeoutMs,
      env: settings.env,
      taskRoot: sandbox.taskRoot,
      requestBodyBytesMax: fixedLimits.requestBodyBufferedBytesMax,
      responseBodyBytesMax: fixedLimits.responseBodyBufferedBytesMax,
      logLineBytesMax: fixedLimits.logLineBytesMax,
      ...(debug && { debug: debugInitOf(debug) }),
    },
    codeOf(options),
  );
}

/** Without a view of its own the sandbox has the socket where the host has it. */
function debugInitOf({ socket, isAwaited }: DebugEquipment): DebugInit {
  return { sockets: [socket.at, socket.from], isAwaited };
}

/** The package and its layer are one archive to the runtime. */
function codeOf({ fn, code }: BringUpOptions): Iterable<Buffer> | AsyncIterable<Buffer> {
  const { artifact, layer } = fn;
  if (layer === undefined) return code(artifact.digest, artifact.bytes);
  const added = code(layer.artifact.digest, layer.artifact.bytes);
  if (layer.place === "instead") return added;
  return joined(withoutEnd(code(artifact.digest, artifact.bytes), artifact.bytes), added);
}

type Chunks = Iterable<Buffer> | AsyncIterable<Buffer>;

async function* joined(first: Chunks, second: Chunks): AsyncGenerator<Buffer> {
  yield* first;
  yield* second;
}

/** A tar without the blocks of zeros that end it. */
async function* withoutEnd(tar: Chunks, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes - TAR_END_BYTES;
  for await (const chunk of tar) {
    if (left <= 0) return;
    yield chunk.subarray(0, left);
    left -= chunk.length;
  }
}

async function failureOf(
  fn: DeployedFunction,
  attempt: StartAttempt,
  error: unknown,
): Promise<IsolaError> {
  const sandbox = attempt.sandbox;
  if (attempt.abort.signal.aborted) return endOf(fn, attempt);
  if (error instanceof InitRefused) {
    void sandbox?.destroy("init_failed", error.message);
    return new IsolaError("init_failed", error.error.message, { cause: error });
  }
  if (error instanceof ChannelClosed && sandbox !== null) {
    void sandbox.destroy("crash", error.message);
    const exit = await sandbox.exitWithin(fn.settings.initTimeoutMs);
    if (exit.cause === "out_of_memory") {
      const text = `${fn.name} reached its memory limit while its code was loaded`;
      return new IsolaError("out_of_memory", text);
    }
    const text = `the sandbox of ${fn.name} ended while its code was loaded: ${error.message}`;
    return new IsolaError("sandbox_exited", text);
  }
  void sandbox?.destroy("start_failed", messageOf(error));
  if (error instanceof IsolaError) return error;
  return new IsolaError("sandbox_start_failed", messageOf(error), { cause: error });
}

function endOf(fn: DeployedFunction, attempt: StartAttempt): IsolaError {
  if (!attempt.hasTimedOut)
    return new IsolaError("sandbox_start_failed", `the start for ${fn.name} was given up`);
  const text = `${fn.name} was not ready within ${fn.settings.initTimeoutMs} ms`;
  return new IsolaError("init_timeout", text);
}
