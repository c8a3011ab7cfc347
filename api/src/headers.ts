import Type from "typebox";
import { requestLimits } from "./limits.ts";

const idempotencyKey = Type.String({
  pattern: `^[!-~]{1,${requestLimits.idempotencyKeyCharsMax}}$`,
  description: "Makes a repeated call answer as the first did, for a day",
});

/** Of every unsafe call. Other headers may come along. */
export const UnsafeHeaders = Type.Object({ "idempotency-key": Type.Optional(idempotencyKey) });

/** Of calls that change a function or a project. */
export const ChangeHeaders = Type.Object({
  "if-match": Type.Optional(
    Type.String({
      description: "The `etag` that must still hold, else `precondition_failed`; `*`: any",
    }),
  ),
  "idempotency-key": Type.Optional(idempotencyKey),
});
