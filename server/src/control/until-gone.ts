import type { FastifyReply } from "fastify";
import { invokeMsMax } from "../domain/limits.ts";

/** The caller has gone, or it takes longer than any call can. */
export function untilGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return AbortSignal.any([gone.signal, AbortSignal.timeout(invokeMsMax)]);
}
