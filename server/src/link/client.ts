import { type Socket, connect } from "node:net";
import type { DeployedFunction } from "../domain/function.ts";
import { type ErrorCode, IsolaError } from "../errors.ts";
import { failPoint } from "../fail-points.ts";
import { readJsonLines, writeJsonLine } from "./json-lines.ts";
import type { LinkNotices, LinkRequests } from "./messages.ts";

export interface LinkClientOptions {
  path: string;
  /** Everything that is deployed; asked after every connect and sent before anything else. */
  snapshot(): Promise<DeployedFunction[]>;
  /** Stores a batch; a rejection leaves it with the gateway, which sends it again later. */
  onRecords(records: LinkNotices["records"]): Promise<void>;
  /** Left out: nobody builds. */
  onBuildOutput?(output: LinkNotices["buildOutput"]): void;
  /** Left out: nobody debugs. */
  onDebugNews?(news: LinkNotices["debugNews"]): void;
  /** A gateway that was connected has gone. */
  onLost?(): void;
  onProblem(message: string): void;
}

interface Pending {
  resolve(value: never): void;
  reject(error: Error): void;
}

interface Message {
  id?: number;
  result?: unknown;
  error?: { code: ErrorCode; message: string };
  notice?: string;
  params?: unknown;
}

const REDIAL_MS = 100;
/** A request made while the gateway takes the deployed functions waits this long for it. */
const RESET_WAIT_MS = 10_000;
const FUNCTIONS_PER_MESSAGE = 1000;
const REQUESTS_MAX = 10_000;

/** The control plane's end of the link: `dialling -> resetting -> connected -> (dialling ...)* -> closed`. */
export class LinkClient {
  #options: LinkClientOptions;
  #socket: Socket | null = null;
  #state: "dialling" | "resetting" | "connected" | "closed" = "dialling";
  #nextId = 1;
  #pending = new Map<number, Pending>();
  #redial: NodeJS.Timeout | null = null;
  #waiting = new Set<() => void>();

  constructor(options: LinkClientOptions) {
    this.#options = options;
    this.#dial();
  }

  /** The gateway runs what the store says. */
  get isConnected(): boolean {
    return this.#state === "connected";
  }

  /** Resolves when connected, or rejects with `not_ready` after `withinMs`. */
  async connected(withinMs: number): Promise<void> {
    if (this.isConnected) return;
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(done);
        reject(new IsolaError("not_ready", `the gateway did not answer within ${withinMs} ms`));
      }, withinMs);
      this.#waiting.add(done);
    });
  }

  /** Rejects with the gateway's `IsolaError`, or `not_ready` when the gateway is away or goes away. */
  request<K extends keyof LinkRequests>(
    kind: K,
    params: LinkRequests[K]["params"],
    signal?: AbortSignal,
  ): Promise<LinkRequests[K]["result"]> {
    if (this.#state === "connected") return this.#send(kind, params, signal);
    if (this.#state === "resetting")
      return this.connected(RESET_WAIT_MS).then(() => this.#send(kind, params, signal));
    return Promise.reject(
      new IsolaError("not_ready", "the gateway is not connected; retry in a moment"),
    );
  }

  close(): void {
    this.#state = "closed";
    if (this.#redial !== null) clearTimeout(this.#redial);
    this.#socket?.destroy();
  }

  #send<K extends keyof LinkRequests>(
    kind: K,
    params: LinkRequests[K]["params"],
    signal?: AbortSignal,
  ): Promise<LinkRequests[K]["result"]> {
    const socket = this.#socket;
    if (socket === null || this.#pending.size >= REQUESTS_MAX)
      return Promise.reject(
        new IsolaError("not_ready", "the gateway cannot take more requests now"),
      );
    const id = this.#nextId++;
    if (signal?.aborted === true) return Promise.reject(givenUp());
    const answer = new Promise<LinkRequests[K]["result"]>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      writeJsonLine(socket, { id, kind, params });
    });
    return signal === undefined ? answer : this.#untilAborted(id, answer, signal);
  }

  async #untilAborted<T>(id: number, answer: Promise<T>, signal: AbortSignal): Promise<T> {
    const onAbort = () => {
      this.#pending.get(id)?.reject(givenUp());
      this.#pending.delete(id);
    };
    signal.addEventListener("abort", onAbort);
    try {
      return await answer;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #dial(): void {
    const socket = connect(this.#options.path);
    this.#socket = socket;
    socket.on("connect", () => void this.#reset(socket));
    socket.on("error", () => {
      // `close` follows; the gateway may be starting or restarting.
    });
    socket.on("close", () => this.#onClose(socket));
    readJsonLines(socket, (value, attached) => this.#onMessage(socket, value as Message, attached));
  }

  async #reset(socket: Socket): Promise<void> {
    this.#state = "resetting";
    try {
      const functions = await this.#options.snapshot();
      for (let at = 0; at === 0 || at < functions.length; at += FUNCTIONS_PER_MESSAGE) {
        const part = functions.slice(at, at + FUNCTIONS_PER_MESSAGE);
        const isLast = at + FUNCTIONS_PER_MESSAGE >= functions.length;
        await this.#send("reset", { functions: part, isFirst: at === 0, isLast });
      }
      if (this.#socket !== socket || socket.destroyed) return;
      this.#state = "connected";
      for (const done of this.#waiting) done();
      this.#waiting.clear();
    } catch (error) {
      this.#options.onProblem(
        `the gateway could not take the deployed functions: ${String(error)}`,
      );
      socket.destroy();
    }
  }

  #onClose(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    for (const pending of this.#pending.values())
      pending.reject(new IsolaError("not_ready", "the gateway went away before it answered"));
    this.#pending.clear();
    if (this.#state === "closed") return;
    if (this.#state === "connected") this.#options.onLost?.();
    this.#state = "dialling";
    this.#redial = setTimeout(() => this.#dial(), REDIAL_MS);
  }

  #onMessage(socket: Socket, message: Message, attached: Buffer | null): void {
    if (message.notice === "records") {
      const params = message.params as Omit<LinkNotices["records"], "invocations">;
      void this.#record(socket, { ...params, invocations: attached });
      return;
    }
    if (message.notice === "buildOutput")
      return this.#options.onBuildOutput?.(message.params as LinkNotices["buildOutput"]);
    if (message.notice === "debugNews")
      return this.#options.onDebugNews?.(message.params as LinkNotices["debugNews"]);
    const pending = this.#pending.get(message.id ?? 0);
    if (pending === undefined) return;
    this.#pending.delete(message.id ?? 0);
    if (message.error === undefined) pending.resolve(message.result as never);
    else pending.reject(new IsolaError(message.error.code, message.error.message));
  }

  async #record(socket: Socket, records: LinkNotices["records"]): Promise<void> {
    try {
      await this.#options.onRecords(records);
      // As with `records.stored`: calls are meant.
      const { invocations, logs } = records;
      if (invocations !== null || logs.length > 0) await failPoint("records.before-ack");
      writeJsonLine(socket, { notice: "recorded", params: { batch: records.batch } });
    } catch (error) {
      this.#options.onProblem(`records could not be stored: ${String(error)}`);
      writeJsonLine(socket, { notice: "refused", params: { batch: records.batch } });
    }
  }
}

function givenUp(): IsolaError {
  return new IsolaError("cancelled", "the request was given up");
}
