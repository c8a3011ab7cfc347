import { createHash } from "node:crypto";

/** Beyond what systemd, container engines and user databases give out; no account has these ids. */
const FIRST_ID = 1_900_000_000;
const IDS = 65_536;

/** Hands each living sandbox a user id of the host that nothing else has, when the server may (root). The kernel then counts its processes apart. */
export class HostUsers {
  #next: number;
  readonly #taken = new Set<number>();

  readonly #first: number;

  /** `life`: unique for this life of this node. Lives start at different places, so that two servers on a machine rarely meet. `block`: each driver's own. */
  constructor(life: string, block: 0 | 1) {
    this.#first = FIRST_ID + block * IDS;
    this.#next = createHash("sha256").update(life).digest().readUInt16LE(0);
  }

  take(): number {
    for (let tries = 0; tries < IDS; tries += 1) {
      const id = this.#first + this.#next;
      this.#next = (this.#next + 1) % IDS;
      if (this.#taken.has(id)) continue;
      this.#taken.add(id);
      return id;
    }
    throw new Error(`all ${IDS} user ids for sandboxes are taken`);
  }

  give(id: number): void {
    this.#taken.delete(id);
  }
}
