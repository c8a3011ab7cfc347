import { setTimeout as delay } from "node:timers/promises";
import { GrowingPauses } from "../../domain/growing-pauses.ts";
import { messageOf } from "../../errors.ts";
import type { Containers } from "./containers.ts";

const RETRY_PAUSES = { leastMs: 100, mostMs: 5000 };
const LINE_BYTES_MAX = 1_000_000;

/** Something that happened to a container. */
export interface ContainerEvent {
  containerId: string;
  /** `die`, `oom`, `pause`, `kill`, `destroy` ... */
  action: string;
  /** Of `die`. */
  exitCode: number | null;
}

export interface EngineEventsOptions {
  containers: Containers;
  /** Only containers with these labels, `name=value`. */
  labels: string[];
  onEvent(event: ContainerEvent): void;
  /** The engine can be heard again, and what happened meanwhile was missed. */
  onGap(): void;
  onProblem(problem: string): void;
}

/** Listens to an engine: `closed -> open <-> lost -> closed`. While it is lost, it is tried again, later and later. */
export class EngineEvents {
  readonly #options: EngineEventsOptions;
  #opening: Promise<void> | null = null;
  #stream: { destroy(): void } | null = null;
  readonly #end = new AbortController();

  constructor(options: EngineEventsOptions) {
    this.#options = options;
  }

  /** Resolves once nothing is missed any more. Rejects when the engine does not answer. */
  open(): Promise<void> {
    this.#opening ??= this.#listen().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  close(): void {
    this.#end.abort();
    this.#stream?.destroy();
  }

  async #listen(): Promise<void> {
    const { containers, labels } = this.#options;
    const stream = await containers.events(labels);
    if (this.#end.signal.aborted) return stream.destroy();
    this.#stream = stream;
    void this.#read(stream).then(() => this.#again());
  }

  async #read(stream: NodeJS.ReadableStream): Promise<void> {
    let text = "";
    try {
      for await (const chunk of stream) {
        text += String(chunk);
        for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n")) {
          this.#onLine(text.slice(0, end));
          text = text.slice(end + 1);
        }
        if (text.length > LINE_BYTES_MAX) text = "";
      }
    } catch {
      // The connection broke, as it does when the engine stops.
    }
  }

  async #again(): Promise<void> {
    const { onProblem, onGap, containers } = this.#options;
    if (this.#end.signal.aborted) return;
    onProblem(`the Docker Engine at ${containers.host} can no longer be heard`);
    const pauses = new GrowingPauses(RETRY_PAUSES);
    for (;;) {
      await delay(pauses.next(), undefined, { signal: this.#end.signal }).catch(() => {}); // closed
      if (this.#end.signal.aborted) return;
      try {
        await this.#listen();
        return onGap();
      } catch {
        // Not yet; starts fail with the reason meanwhile.
      }
    }
  }

  #onLine(line: string): void {
    try {
      const { Action, Actor } = JSON.parse(line) as {
        Action: string;
        Actor: { ID: string; Attributes: Record<string, string> };
      };
      const code = Actor.Attributes.exitCode;
      this.#options.onEvent({
        ...{ containerId: Actor.ID, action: Action },
        exitCode: code === undefined ? null : Number(code),
      });
    } catch (error) {
      this.#options.onProblem(`an event of the Docker Engine cannot be read: ${messageOf(error)}`);
    }
  }
}
