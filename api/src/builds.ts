import Type, { type Static } from "typebox";
import { closed, moment, nullable, oneOf, pageOf } from "./shapes.ts";

export const BuildView = closed(
  {
    id: Type.String(),
    state: oneOf(["running", "ok", "failed", "cancelled"]),
    isCached: Type.Boolean({ description: "Nothing ran: what it would have made was there" }),
    runtime: Type.String(),
    driver: Type.String(),
    message: nullable(Type.String(), "Why it failed"),
    output: Type.Array(Type.String(), { description: "The last lines" }),
    startedAt: moment("When it began"),
    endedAt: nullable(Type.String({ format: "date-time" }), "null: it runs"),
  },
  "Build",
);
export type BuildView = Static<typeof BuildView>;

export const BuildPage = pageOf(BuildView, "BuildPage");
