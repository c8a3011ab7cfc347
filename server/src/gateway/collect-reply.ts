import { strict as assert } from "node:assert";
import type { Reply } from "./reply.ts";

export interface Collected {
  status: number;
  headers: [string, string][];
  body: Buffer;
  /** The response ended before it was complete. */
  isCut: boolean;
}

/** Gathers an answer in memory, up to a bound; for invocations through the API. */
export class CollectReply implements Reply {
  onDrain: () => void = () => {};
  onGone: () => void = () => {};
  readonly collected: Promise<Collected>;
  readonly #bytesMax: number;
  #resolve: (collected: Collected) => void = () => {};
  #status = 0;
  #headers: [string, string][] = [];
  #parts: Buffer[] = [];
  #bytes = 0;
  #isCut = false;
  hasHead = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.collected = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  head(status: number, headers: string[]): void {
    assert(!this.hasHead, "second head");
    this.hasHead = true;
    this.#status = status;
    for (let at = 0; at < headers.length; at += 2)
      this.#headers.push([headers[at] as string, headers[at + 1] as string]);
  }

  body(bytes: Buffer): boolean {
    this.#bytes += bytes.length;
    if (this.#bytes <= this.#bytesMax) this.#parts.push(Buffer.from(bytes));
    else this.#isCut = true;
    return true;
  }

  end(bytes?: Buffer): void {
    if (bytes !== undefined) this.body(bytes);
    this.#settle();
  }

  flush(): void {}

  cut(): void {
    this.#isCut = true;
    this.#settle();
  }

  #settle(): void {
    this.#resolve({
      status: this.#status,
      headers: this.#headers,
      body: Buffer.concat(this.#parts),
      isCut: this.#isCut,
    });
  }
}
