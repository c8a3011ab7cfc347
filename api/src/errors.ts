import Type, { type Static } from "typebox";
import { closed } from "./shapes.ts";

export const ErrorDetail = closed({
  path: Type.String({ description: "Where: `memoryMiB`, `route.methods[0]`, `query.limit`" }),
  expected: Type.String(),
  given: Type.String(),
});
export type ErrorDetail = Static<typeof ErrorDetail>;

/** Every answer with a status of 400 or more. */
export const ErrorBody = closed(
  {
    error: closed({
      code: Type.String({ description: "One of the error catalogue (docs/errors.md)" }),
      message: Type.String(),
      requestId: Type.String({ description: "Also in the header `isola-request-id`" }),
      details: Type.Array(ErrorDetail),
    }),
  },
  "Error",
);
export type ErrorBody = Static<typeof ErrorBody>;
