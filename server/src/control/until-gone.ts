import type { FastifyReply } from "fastify";

/** Queue, start and run at their highest settings, and some time to answer. */
const INVOKE_TIMEOUT_MS = 3 * 900_000 + 10_000;

/** The caller has gone, or it takes longer than any call can. */
export function untilGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return AbortSignal.any([gone.signal, AbortSignal.timeout(INVOKE_TIMEOUT_MS)]);
}
