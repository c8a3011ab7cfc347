import { requestLimits } from "@isola/api/limits";
import type { FastifyReply, FastifyRequest } from "fastify";
import { IsolaError } from "../errors.ts";

const UPLOADS_MAX = 4;
const WAITING_MAX = 64;

/**
 * Bounds the memory of uploads: four bodies are read at once, 64 callers wait for their turn, whose bodies stay in the socket meanwhile. A body that says to be no larger than those of
 * other calls needs no slot, so that inline code waits for nobody's large upload.
 */
export class UploadSlots {
  #taken = 0;
  #waiting: (() => void)[] = [];

  /** A `preParsing` hook. The slot is given back when the connection is done with the answer. Rejects with `not_ready` where too many wait. */
  take = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (Number(request.headers["content-length"]) <= requestLimits.bodyBytesMax) return;
    if (this.#waiting.length >= WAITING_MAX)
      throw new IsolaError("not_ready", `${WAITING_MAX} uploads already wait; retry in a moment`);
    if (this.#taken >= UPLOADS_MAX)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#taken += 1;
    if (reply.raw.destroyed || reply.raw.writableFinished) this.#giveBack();
    else reply.raw.once("close", () => this.#giveBack());
  };

  /** The slot goes to who waits longest. */
  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
