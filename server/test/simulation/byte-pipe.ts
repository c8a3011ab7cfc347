import { Duplex } from "node:stream";
import type { Nature } from "./nature.ts";

/** Bytes on their way in one direction: in order, in pieces of any size, each when the loop says so. */
class Lane {
  readonly #nature: Nature;
  readonly #deliver: (bytes: Buffer) => void;
  #waiting: Buffer[] = [];
  #onEmpty: (() => void) | null = null;
  #isMoving = false;

  constructor(nature: Nature, deliver: (bytes: Buffer) => void) {
    this.#nature = nature;
    this.#deliver = deliver;
  }

  send(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#move();
  }

  /** Runs behind everything that was sent. */
  finish(then: () => void): void {
    this.#onEmpty = then;
    this.#move();
  }

  drop(): void {
    this.#waiting = [];
    this.#onEmpty = null;
  }

  #move(): void {
    if (this.#isMoving) return;
    this.#isMoving = true;
    const { loop, random, profile } = this.#nature;
    loop.later(random.chance(profile.lagChance) ? random.between(0, 4) : 0, () => {
      this.#isMoving = false;
      this.#arrive();
    });
  }

  #arrive(): void {
    const { random, profile } = this.#nature;
    let bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    if (bytes.length > 1 && random.chance(profile.cutChance)) {
      const at = random.between(1, bytes.length - 1);
      this.#waiting.push(bytes.subarray(at));
      bytes = bytes.subarray(0, at);
    }
    if (bytes.length > 0) this.#deliver(bytes);
    if (this.#waiting.length > 0) return this.#move();
    const then = this.#onEmpty;
    this.#onEmpty = null;
    then?.();
  }
}

/** The control stream of one sandbox. `host` is a real stream; the sandbox's end is `send`, `end` and `onBytes`. */
export class BytePipe {
  readonly host: Duplex;
  onBytes: (bytes: Buffer) => void = () => {};
  readonly #toHost: Lane;
  readonly #toSandbox: Lane;

  constructor(nature: Nature) {
    this.#toHost = new Lane(nature, (bytes) => this.host.push(bytes));
    this.#toSandbox = new Lane(nature, (bytes) => this.onBytes(bytes));
    this.host = new Duplex({
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        this.#toSandbox.send(chunk);
        done();
      },
      destroy: (error, done) => {
        this.#toHost.drop();
        done(error);
      },
    });
  }

  send(bytes: Buffer): void {
    if (!this.host.destroyed) this.#toHost.send(bytes);
  }

  end(): void {
    this.#toHost.finish(() => {
      if (!this.host.destroyed) this.host.push(null);
    });
  }
}
