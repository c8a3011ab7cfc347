import { type Socket, connect } from "node:net";
import type { Duplex } from "node:stream";
import { idSource } from "../domain/ids.ts";
import { IsolaError } from "../errors.ts";
import type { DebugNews, DebugPlace, LinkNotices, OpenDebugParams } from "../link/messages.ts";
import type { GatewayLink } from "./ports.ts";

const DIAL_MS_MAX = 5000;

type Asked = Omit<OpenDebugParams, "id">;

interface Session extends Pick<Asked, "project" | "name"> {
  socketPath: string | null;
  tunnels: Set<Duplex>;
  onNews(news: DebugNews): void;
}

/** The debug sessions that callers of the API have open. Each is as long as its answer; whatever else ends it is told by `onNews`. */
export class DebugWork {
  readonly #gateway: GatewayLink;
  readonly #sessions = new Map<string, Session>();
  readonly #newId = idSource("dbg");

  constructor(gateway: GatewayLink) {
    this.#gateway = gateway;
  }

  /** Rejects as `openDebug` of the link does; `signal` gives it up. */
  async open(
    asked: Asked,
    onNews: (news: DebugNews) => void,
    signal: AbortSignal,
  ): Promise<{ id: string; place: DebugPlace }> {
    const id = this.#newId();
    const { project, name } = asked;
    const session: Session = { project, name, socketPath: null, tunnels: new Set(), onNews };
    this.#sessions.set(id, session);
    const giveUp = () => this.close(id);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      const place = await this.#gateway.request("openDebug", { id, ...asked });
      session.socketPath = place.socketPath;
      return { id, place };
    } catch (error) {
      this.#sessions.delete(id);
      throw error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** Debuggers lose their connections, and the sandbox ends. */
  close(id: string): void {
    this.#forget(id);
    // A gateway that does not answer has ended it with its connection.
    this.#gateway.request("closeDebug", { id }).catch(() => {});
  }

  onNews({ id, news }: LinkNotices["debugNews"]): void {
    const session = this.#sessions.get(id);
    if (news.type === "ended") this.#forget(id);
    session?.onNews(news);
  }

  /** The gateway has gone, and its sandboxes with it. */
  onGatewayLost(): void {
    for (const id of [...this.#sessions.keys()])
      this.onNews({ id, news: { type: "ended", reason: "the gateway went away" } });
  }

  /** A connection to the function's debugger. Rejects with `not_found` where there is no such session of that function. */
  async dial({ project, name }: Pick<Asked, "project" | "name">, id: string): Promise<Socket> {
    const session = this.#sessions.get(id);
    const isOfThat = session?.project === project && session.name === name;
    const path = isOfThat ? session.socketPath : null;
    if (path === null)
      throw new IsolaError("not_found", `there is no debug session ${id} of ${name}`);
    const socket = connect({ path, timeout: DIAL_MS_MAX });
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => {
        socket.destroy();
        reject(new IsolaError("not_ready", `the debugger cannot be reached: ${why}`));
      };
      socket.once("connect", resolve);
      socket.once("timeout", () => fail("the gateway does not answer"));
      socket.on("error", (error) => fail(error.message));
    });
    socket.setTimeout(0);
    return socket;
  }

  /** Joins both until either ends, or the session. */
  join(id: string, caller: Duplex, inside: Socket): void {
    const session = this.#sessions.get(id);
    inside.on("error", () => inside.destroy());
    if (session === undefined) {
      inside.destroy();
      return void caller.destroy();
    }
    for (const [one, other] of [
      [caller, inside],
      [inside, caller],
    ] as const) {
      session.tunnels.add(one);
      one.once("close", () => {
        session.tunnels.delete(one);
        other.destroy();
      });
    }
    caller.pipe(inside).pipe(caller);
  }

  closeAll(): void {
    for (const id of [...this.#sessions.keys()]) this.close(id);
  }

  #forget(id: string): void {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    for (const tunnel of session?.tunnels ?? []) tunnel.destroy();
  }
}
