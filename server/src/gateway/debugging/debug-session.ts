import { rmSync } from "node:fs";
import { type Server, type Socket, createServer } from "node:net";
import { join } from "node:path";
import { systemClock as clock } from "../../domain/clock.ts";
import { type DeployedFunction, reservedMiBOf } from "../../domain/function.ts";
import { INSIDE } from "../../drivers/sandbox-view.ts";
import type { SocketFolder } from "../../drivers/socket-folder.ts";
import { IsolaError } from "../../errors.ts";
import type { DebugNews, DebugPlace } from "../../link/messages.ts";
import type { PoolNews } from "../../pool/pool-news.ts";
import type { Pools } from "../../pool/pools.ts";
import type { RevisionPool } from "../../pool/revision-pool.ts";
import type { FunctionEntry, FunctionTable, PoolSource } from "../function-table.ts";
import { debuggedFunction } from "./debugged-function.ts";
import { SandboxEnd } from "./sandbox-end.ts";

const OPEN_MS_MAX = 60_000;
/** Of debuggers, at once. */
const CONNECTIONS_MAX = 32;

export interface DebugSessionOptions {
  id: string;
  entry: FunctionEntry;
  table: FunctionTable;
  pools: Pools;
  isAwaited: boolean;
  /** Of the sockets that sandboxes get. */
  folder: SocketFolder;
  /** Where debuggers come in; only this user may get there. */
  socketPath: string;
  onNews(news: DebugNews): void;
}

interface Place {
  pool: RevisionPool;
  end: SandboxEnd;
}

/**
 * Someone debugs a function: `opening -> open -> closed`. All calls of the function go to one sandbox of the session's own, which a debugger is open in; after a deploy to one of the new
 * revision, and after its end to another. With the session its sandbox ends, whatever stands still in it.
 */
export class DebugSession implements PoolSource {
  readonly id: string;
  readonly entry: FunctionEntry;
  readonly #options: DebugSessionOptions;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #opened = Promise.withResolvers<void>();
  #place: Place | null = null;
  #ends = 0;
  #isFirst = true;
  /** The sandbox there is has been told as open. */
  #isTold = false;
  #isClosed = false;

  constructor(options: DebugSessionOptions) {
    this.id = options.id;
    this.entry = options.entry;
    this.#options = options;
    this.#server = createServer({ pauseOnConnect: true }, (socket) => void this.#join(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#opened.promise.catch(() => {}); // awaited by `begin`
  }

  /** Resolves when a debugger can be attached; rejects with why it will not come to that, and then the session is to be closed. */
  async begin(): Promise<DebugPlace> {
    const { table, entry, pools, socketPath } = this.#options;
    const needsMiB = reservedMiBOf(debuggedFunction(entry.fn).settings);
    if (needsMiB > pools.budget.totalMiB) throw tooLarge(entry.fn, needsMiB, pools.budget.totalMiB);
    rmSync(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(socketPath, resolve);
    });
    const cancel = clock.after(OPEN_MS_MAX, () => this.#opened.reject(notInTime(entry.fn)));
    try {
      table.setSource(entry, this);
      await this.#opened.promise;
    } finally {
      cancel();
    }
    this.#isFirst = false;
    const { revision, settings } = entry.fn;
    return { socketPath, revision, driver: settings.driver, runtime: settings.runtime };
  }

  open(fn: DeployedFunction): RevisionPool {
    const old = this.#place;
    this.#place = null;
    // Once its callers have been taken over.
    if (old !== null) clock.soon(() => void endPlace(old));
    this.#isTold = false;
    this.#ends += 1;
    const { folder, pools, isAwaited } = this.#options;
    const from = join(folder.path, `${this.id.slice(-8)}-${this.#ends}.sock`);
    const end = new SandboxEnd(from, () => this.#onReady(end));
    try {
      const pool = pools.open(debuggedFunction(fn), {
        blanks: null,
        debug: {
          socket: { from, at: `${INSIDE}/debugger.sock` },
          isAwaited,
          memoryMiB: fn.settings.memoryMiB,
        },
        news: this.#poolNews(end),
      });
      this.#place = { pool, end };
      return pool;
    } catch (error) {
      end.close();
      this.#opened.reject(error as Error);
      throw error;
    }
  }

  onRemoved(): void {
    this.#opened.reject(new IsolaError("not_found", "the function was deleted"));
    if (!this.#isFirst) this.#options.onNews({ type: "ended", reason: "the function was deleted" });
    void this.close();
  }

  /** Resolves when calls take their ordinary way again and nothing of the session is left. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { table, entry, socketPath } = this.#options;
    this.#opened.reject(new IsolaError("cancelled", "the session was closed"));
    const place = this.#place;
    this.#place = null;
    table.setSource(entry, null);
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
    rmSync(socketPath, { force: true });
    if (place !== null) await endPlace(place);
  }

  #poolNews(end: SandboxEnd): PoolNews {
    const isCurrent = () => this.#place === null || this.#place.end === end;
    return {
      onStarted: () => {},
      onEnded: ({ revision }, reason) => {
        if (!isCurrent() || this.#isClosed) return;
        this.#isTold = false;
        this.#options.onNews({ type: "sandbox_ended", revision, reason });
      },
      onStartFailed: ({ revision }, error) => {
        this.#opened.reject(error);
        if (this.#isFirst || !isCurrent() || this.#isClosed) return;
        this.#isTold = false;
        const { code, message } = error;
        this.#options.onNews({ type: "failed", revision, code, message });
      },
    };
  }

  #onReady(end: SandboxEnd): void {
    if (this.#place?.end !== end || this.#isTold) return;
    this.#isTold = true;
    this.#opened.resolve();
    const { revision } = this.#place.pool.fn;
    if (!this.#isFirst) this.#options.onNews({ type: "open", revision });
  }

  async #join(debuggerEnd: Socket): Promise<void> {
    this.#connections.add(debuggerEnd);
    debuggerEnd.on("error", () => debuggerEnd.destroy());
    debuggerEnd.once("close", () => this.#connections.delete(debuggerEnd));
    try {
      if (this.#place === null) throw new IsolaError("not_ready", "there is no sandbox");
      const inside = await this.#place.end.take();
      if (debuggerEnd.destroyed) return void inside.destroy();
      inside.once("close", () => debuggerEnd.destroySoon());
      debuggerEnd.once("close", () => inside.destroySoon());
      debuggerEnd.pipe(inside).pipe(debuggerEnd);
    } catch {
      debuggerEnd.destroy(); // the debugger finds nobody there, as when a process has ended
    }
  }
}

/** Callers that wait have been taken over, or the function is gone. */
async function endPlace({ pool, end }: Place): Promise<void> {
  for (const { waiter } of pool.retire("replaced"))
    waiter.onRefused(new IsolaError("route_not_found", "the function was deleted"));
  const how = "its debug session has ended or moved on";
  await Promise.all([...pool.sandboxes].map((sandbox) => sandbox.destroy("replaced", how)));
  end.close();
}

function tooLarge({ name }: DeployedFunction, needsMiB: number, mostMiB: number): IsolaError {
  const text = `${name} and its debugger need ${needsMiB} MiB, and the server's memoryBudgetMiB is ${mostMiB}`;
  return new IsolaError("sandbox_start_failed", text);
}

function notInTime({ name }: DeployedFunction): IsolaError {
  const text = `no sandbox of ${name} has opened its debugger within ${OPEN_MS_MAX} ms; its memory may be taken, or its code may keep the processor busy: see the server's log`;
  return new IsolaError("sandbox_start_failed", text);
}
