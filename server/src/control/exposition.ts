import Type from "typebox";
import { EXPOSITION_TYPE } from "../metrics/exposition/exposition-text.ts";
import { type ControlApp, type ControlContext, answers } from "./context.ts";

const told = {
  description: "The text format of Prometheus",
  content: { "text/plain": { schema: Type.String() } },
};

/** What Prometheus scrapes, with a key of no project alone: it tells of all of them. */
export function registerExposition(app: ControlApp, { metricsExport }: ControlContext): void {
  app.get(
    "/metrics",
    {
      config: { policy: { scope: "read", reach: "server" } },
      schema: {
        tags: ["metrics"],
        summary: "What was counted since the control plane started, for Prometheus",
        response: answers({ 200: told }),
      },
    },
    async (_request, reply) => reply.type(EXPOSITION_TYPE).send(metricsExport.text() as never),
  );
}
