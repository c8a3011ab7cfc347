import Type, { type Static } from "typebox";
import { scopes } from "./limits.ts";
import { closed, moment, nullable, oneOf } from "./shapes.ts";

const TOKEN_CHARS_MAX = 256;

/** Exactly one of the two. */
export const OpenSession = closed(
  {
    key: Type.Optional(Type.String({ maxLength: TOKEN_CHARS_MAX, description: "An API key" })),
    link: Type.Optional(
      Type.String({ maxLength: TOKEN_CHARS_MAX, description: "What a sign-in link carries" }),
    ),
  },
  "OpenSession",
);
export type OpenSession = Static<typeof OpenSession>;

export const SessionView = closed(
  {
    keyId: Type.String(),
    scopes: Type.Array(oneOf(scopes)),
    project: nullable(Type.String(), "The one project of the key; null: it sees all"),
    expiresAt: nullable(
      moment("When it ends unless it is used meanwhile"),
      "null: the call carried a key",
    ),
  },
  "Session",
);
export type SessionView = Static<typeof SessionView>;

export const SignInLink = closed(
  {
    path: Type.String({ description: "Of the console, with the link; for one use" }),
    expiresAt: moment("When it stops working"),
  },
  "SignInLink",
);
export type SignInLink = Static<typeof SignInLink>;
