import { rmSync } from "node:fs";
import { type Server, type Socket, createServer } from "node:net";
import { IsolaError, messageOf } from "../errors.ts";
import { failPointNow } from "../fail-points.ts";
import { readJsonLines, writeJsonLine } from "./json-lines.ts";
import type { LinkNotices, LinkRequests } from "./messages.ts";

export type LinkHandlers = {
  [K in keyof LinkRequests]: (
    params: LinkRequests[K]["params"],
  ) => Promise<LinkRequests[K]["result"]> | LinkRequests[K]["result"];
};

export interface LinkServerEvents {
  /** The control plane has connected: what it has not acknowledged must be sent again. */
  onConnect(): void;
  onRecorded(batch: number): void;
  /** The batch could not be stored. */
  onRefused(batch: number): void;
}

/** The gateway's end of the link: `listening -> (connected <-> alone)* -> closed`. One control plane at a time; the newest connection wins. */
export class LinkServer {
  #server: Server;
  #peer: Socket | null = null;
  #handlers: LinkHandlers;
  #events: LinkServerEvents;

  constructor(handlers: LinkHandlers, events: LinkServerEvents) {
    this.#handlers = handlers;
    this.#events = events;
    this.#server = createServer((socket) => this.#onConnection(socket));
  }

  /** `path` lies in a folder that only this user may enter; an old socket there is removed. */
  async listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(path, resolve);
    });
  }

  /** False when no control plane is connected. */
  sendRecords(records: LinkNotices["records"]): boolean {
    if (this.#peer === null) return false;
    const { invocations, ...params } = records;
    writeJsonLine(this.#peer, { notice: "records", params }, invocations ?? undefined);
    return true;
  }

  /** Lost where no control plane is connected: whoever waited for it has gone. */
  sendBuildOutput(output: LinkNotices["buildOutput"]): void {
    if (this.#peer !== null) writeJsonLine(this.#peer, { notice: "buildOutput", params: output });
  }

  /** As `sendBuildOutput`. */
  sendDebugNews(told: LinkNotices["debugNews"]): void {
    if (this.#peer !== null) writeJsonLine(this.#peer, { notice: "debugNews", params: told });
  }

  async close(): Promise<void> {
    this.#peer?.end();
    setImmediate(() => this.#peer?.destroySoon());
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #onConnection(socket: Socket): void {
    this.#peer?.destroy();
    this.#peer = socket;
    socket.on("error", () => {
      // `close` follows and does what there is to do.
    });
    socket.on("close", () => {
      if (this.#peer === socket) this.#peer = null;
    });
    readJsonLines(socket, (value) => this.#onMessage(socket, value as Message));
    this.#events.onConnect();
  }

  #onMessage(socket: Socket, message: Message): void {
    if (message.notice === "recorded") {
      this.#events.onRecorded((message.params as LinkNotices["recorded"]).batch);
      return;
    }
    if (message.notice === "refused") {
      this.#events.onRefused((message.params as LinkNotices["refused"]).batch);
      return;
    }
    const { id, kind } = message;
    if (id === undefined || kind === undefined || !Object.hasOwn(this.#handlers, kind)) {
      socket.destroy(new Error(`unknown link message ${String(kind)}`));
      return;
    }
    void this.#answer(socket, id, kind, message.params);
  }

  async #answer(
    socket: Socket,
    id: number,
    kind: keyof LinkRequests,
    params: unknown,
  ): Promise<void> {
    try {
      const handler = this.#handlers[kind] as (params: unknown) => unknown;
      if (kind === "apply") failPointNow("apply.received");
      const result = await handler(params);
      if (kind === "apply") failPointNow("apply.applied");
      writeJsonLine(socket, { id, result });
    } catch (error) {
      const code = error instanceof IsolaError ? error.code : "internal_error";
      writeJsonLine(socket, { id, error: { code, message: messageOf(error) } });
    }
  }
}

interface Message {
  id?: number;
  kind?: keyof LinkRequests;
  notice?: string;
  params: unknown;
}
