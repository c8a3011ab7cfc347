import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ChangeHeaders, UnsafeHeaders } from "@isola/api/headers";
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import { IsolaError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { KeyedQueue } from "./keyed-queue.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What is kept of an answer, for routes whose answers hold a secret. */
    keptAnswer?: (answer: object) => object;
    /** Where what was made is found, for the header `location`. */
    locationOf?: (answer: object) => string;
    /** Carrying the call out once more does no harm, so it takes no `Idempotency-Key`. */
    isRepeatable?: boolean;
  }
  interface FastifyRequest {
    /** SHA-256 of the body as received; null without a body. */
    bodyDigest: string | null;
  }
}

type Idempotents = Pick<Store, "getIdempotent" | "putIdempotent">;

const unsafeMethods = new Set(["POST", "PUT", "PATCH", "DELETE"]);
const KEPT_BYTES_MAX = 1_048_576;

/**
 * With `Idempotency-Key`, an unsafe call is carried out once: a repeat (same key, method, path and body) gets the first answer, another call under the same key
 * `conflict`, and a repeat that comes while the first is under way waits for it. Failures are not kept: the call may be made again. A crash between the change and the
 * keeping of its answer leaves the change made and unknown to the key. Handlers of unsafe routes return their answer.
 */
export function keepIdempotent(app: FastifyInstance, store: Idempotents): void {
  const queue = new KeyedQueue();
  app.decorateRequest("bodyDigest", null);
  app.addHook("onRoute", (route: RouteOptions) => {
    const methods = [route.method].flat();
    if (!methods.some((method) => unsafeMethods.has(method))) return;
    if (route.config?.isRepeatable === true) return;
    assert(
      [UnsafeHeaders, ChangeHeaders].includes(route.schema?.headers as typeof UnsafeHeaders),
      `${String(route.method)} ${route.url} does not describe the headers of unsafe calls`,
    );
    const { handler } = route;
    const keptAnswer = route.config?.keptAnswer ?? ((answer) => answer);
    route.handler = async function once(request, reply) {
      const located = (answer: object) => {
        const location = route.config?.locationOf?.(answer);
        if (location !== undefined) reply.header("location", location);
        return answer;
      };
      const carryOut = async () => located((await handler.call(this, request, reply)) as object);
      const key = request.headers["idempotency-key"];
      if (typeof key !== "string" || request.caller === null) return carryOut();
      const { keyId } = request.caller;
      return queue.run(`${keyId} ${key}`, async () => {
        const requestHash = hashOf(request);
        const kept = await store.getIdempotent(keyId, key);
        if (kept !== null) return located(replay(kept, requestHash, reply));
        const answer = await carryOut();
        const body = boundedBody(keptAnswer(answer));
        await store.putIdempotent(keyId, key, { requestHash, status: reply.statusCode, body });
        return answer;
      });
    };
  });
}

/** For the parsers of bodies. The digest costs time and is made only where it will be compared. */
export function noteBody(request: FastifyRequest, body: Buffer): void {
  if (request.headers["idempotency-key"] === undefined || body.length === 0) return;
  request.bodyDigest = createHash("sha256").update(body).digest("hex");
}

function hashOf(request: FastifyRequest): string {
  const parts = [request.method, request.url, request.bodyDigest, request.headers["if-match"]];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

function replay(
  kept: { requestHash: string; status: number; body: string },
  requestHash: string,
  reply: FastifyReply,
): object {
  if (kept.requestHash !== requestHash)
    throw new IsolaError(
      "conflict",
      "this Idempotency-Key was used for another call; take a new key",
    );
  if (kept.body === "")
    throw new IsolaError(
      "conflict",
      "this call was carried out before; its answer was too large to keep",
    );
  const answer = JSON.parse(kept.body) as { etag?: string };
  reply.code(kept.status).header("isola-replayed", "true");
  if (answer.etag !== undefined) reply.header("etag", answer.etag);
  return answer;
}

/** Empty stands for an answer too large to keep. */
function boundedBody(answer: object): string {
  const body = JSON.stringify(answer);
  return body.length > KEPT_BYTES_MAX ? "" : body;
}
