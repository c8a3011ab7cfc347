import { rmSync } from "node:fs";
import { join } from "node:path";
import { SocketFolder } from "../../drivers/socket-folder.ts";
import { IsolaError } from "../../errors.ts";
import type { DebugNews, DebugPlace, OpenDebugParams } from "../../link/messages.ts";
import type { Pools } from "../../pool/pools.ts";
import type { FunctionTable } from "../function-table.ts";
import { DebugSession } from "./debug-session.ts";

const SESSIONS_MAX = 8;

export interface DebugSessionsOptions {
  pools: Pools;
  table: FunctionTable;
  /** A private folder with a short path. */
  socketDir: string;
  /** Remembers where the sockets of sandboxes are. */
  runDir: string;
  onNews(told: { id: string; news: DebugNews }): void;
}

/** The sessions of this gateway, one for a function. They end with whoever opened them: the connection of the control plane. */
export class DebugSessions {
  readonly #options: DebugSessionsOptions;
  readonly #folder: SocketFolder;
  /** By slot, which names the socket. */
  readonly #sessions: (DebugSession | null)[] = Array.from({ length: SESSIONS_MAX }, () => null);

  constructor(options: DebugSessionsOptions) {
    this.#options = options;
    this.#folder = new SocketFolder("isola-debug-", join(options.runDir, "debug-dir"));
    for (let slot = 0; slot < SESSIONS_MAX; slot += 1) rmSync(this.#pathOf(slot), { force: true });
  }

  async open({ id, project, name, isAwaited }: OpenDebugParams): Promise<DebugPlace> {
    const { pools, table, onNews } = this.#options;
    const entry = table.get(project, name);
    if (entry === null) throw new IsolaError("not_found", `there is no function ${name}`);
    if (this.#sessions.some((session) => session?.entry === entry)) throw alreadyDebugged(name);
    const slot = this.#sessions.indexOf(null);
    if (slot === -1) throw noRoom();
    const session = new DebugSession({
      ...{ id, entry, table, pools, isAwaited, folder: this.#folder },
      socketPath: this.#pathOf(slot),
      onNews: (news) => {
        onNews({ id, news });
        if (news.type === "ended") this.#forget(session);
      },
    });
    this.#sessions[slot] = session;
    try {
      return await session.begin();
    } catch (error) {
      await this.#end(session);
      throw error;
    }
  }

  async close(id: string): Promise<void> {
    const session = this.#sessions.find((each) => each?.id === id);
    if (session) await this.#end(session);
  }

  /** Ends all, and tells those who opened them why. */
  async end(reason: string): Promise<void> {
    for (const session of this.#sessions)
      if (session) this.#options.onNews({ id: session.id, news: { type: "ended", reason } });
    await this.closeAll();
  }

  /** Whoever opened them has gone. */
  async closeAll(): Promise<void> {
    const open = this.#sessions.filter((session) => session !== null);
    await Promise.all(open.map((session) => this.#end(session)));
    if (this.#sessions.every((session) => session === null)) this.#folder.close();
  }

  async #end(session: DebugSession): Promise<void> {
    await session.close();
    this.#forget(session);
  }

  #forget(session: DebugSession): void {
    const slot = this.#sessions.indexOf(session);
    if (slot !== -1) this.#sessions[slot] = null;
  }

  #pathOf(slot: number): string {
    return join(this.#options.socketDir, `debug-${slot}.sock`);
  }
}

function alreadyDebugged(name: string): IsolaError {
  const text = `${name} is debugged already, and there is one session for a function; end that one first`;
  return new IsolaError("conflict", text);
}

function noRoom(): IsolaError {
  const text = `expected at most ${SESSIONS_MAX} debug sessions on this server, given one more; end another first`;
  return new IsolaError("too_many_requests", text);
}
