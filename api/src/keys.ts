import Type, { type Static } from "typebox";
import { NAME_PATTERN, requestLimits, scopes } from "./limits.ts";
import { closed, moment, nullable, oneOf, pageMembers, pageOf } from "./shapes.ts";

export const CreateKey = closed(
  {
    name: Type.String({ minLength: 1, maxLength: requestLimits.keyNameCharsMax }),
    scopes: Type.Array(oneOf(scopes), { minItems: 1, maxItems: scopes.length }),
    project: Type.Optional(
      nullable(
        Type.String({ pattern: NAME_PATTERN }),
        "The one that it is for, and sees alone; null: every project. Left out: that of the key that makes it",
      ),
    ),
    expiresAt: Type.Optional(nullable(moment("When it stops working; null or left out: never"))),
  },
  "CreateKey",
);
export type CreateKey = Static<typeof CreateKey>;

const keyMembers = {
  id: Type.String(),
  name: Type.String(),
  scopes: Type.Array(oneOf(scopes)),
  project: nullable(Type.String(), "The one that it is for; null: every project"),
  createdAt: moment("When it was made"),
  expiresAt: nullable(moment("When it stops working")),
  lastUsedAt: nullable(moment("Some seconds late")),
  revokedAt: nullable(moment("When it was revoked")),
};

export const KeyView = closed(keyMembers, "Key");
export type KeyView = Static<typeof KeyView>;

export const CreatedKey = closed(
  {
    ...keyMembers,
    key: nullable(
      Type.String(),
      "`isola_<id>_<secret>`, shown this once; null when the answer is repeated for an Idempotency-Key",
    ),
  },
  "CreatedKey",
);
export type CreatedKey = Static<typeof CreatedKey>;

export const KeyParams = closed({ id: Type.String({ pattern: "^[A-Za-z0-9]{1,64}$" }) });
export const KeyListQuery = closed({
  project: Type.Optional(
    Type.String({ pattern: NAME_PATTERN, description: "Only keys that are for it" }),
  ),
  ...pageMembers,
});
export type KeyListQuery = Static<typeof KeyListQuery>;
export const KeyPage = pageOf(KeyView, "KeyPage");
