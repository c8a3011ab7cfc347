import type { ChangedFunction } from "@isola/api/functions";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ControlContext } from "./context.ts";
import type { Deployed } from "./deployer.ts";
import { etagOf, functionView } from "./function-view.ts";
import { callerOf } from "./request-policy.ts";

/** The answer to every change of a function. */
export function changedAnswer(
  context: ControlContext,
  { fn, live, applied }: Deployed,
  request: FastifyRequest,
  reply: FastifyReply,
): ChangedFunction {
  reply.header("etag", etagOf(fn));
  const to = { caller: callerOf(request), gatewayUrl: context.settings.gatewayUrl };
  return { ...functionView(fn, live, to), applied };
}
