import type { StreamName } from "../drivers/driver.ts";
import type { FromKeeper, ToKeeper } from "./messages.ts";
import { notTaken } from "./streams.ts";

/** The keeper's questions for sockets of the gateway. */
export class StreamAsks {
  readonly #tell: (message: FromKeeper) => void;
  readonly #asked = new Map<number, PromiseWithResolvers<string>>();
  #asks = 0;

  constructor(tell: (message: FromKeeper) => void) {
    this.#tell = tell;
  }

  /** As `StreamEnds.listen`. */
  ask(id: string, stream: StreamName): Promise<string> {
    this.#asks += 1;
    const asked = Promise.withResolvers<string>();
    this.#asked.set(this.#asks, asked);
    this.#tell({ type: "listen", ask: this.#asks, id, stream });
    return asked.promise;
  }

  answered({ ask, path, problem }: ToKeeper & { type: "listening" }): void {
    const asked = this.#asked.get(ask);
    this.#asked.delete(ask);
    if (path === null) asked?.reject(notTaken(problem));
    else asked?.resolve(path);
  }
}
