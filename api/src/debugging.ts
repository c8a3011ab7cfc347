import Type, { type Static } from "typebox";
import { FunctionParams } from "./functions.ts";
import { closed, oneOf } from "./shapes.ts";

export const OpenDebugSession = closed(
  {
    wait: Type.Optional(
      Type.Boolean({
        description:
          "The code is loaded once a debugger is attached, so that breakpoints hold in what runs while it is loaded; default false",
      }),
    ),
  },
  "OpenDebugSession",
);
export type OpenDebugSession = Static<typeof OpenDebugSession>;

export const DebugParams = closed({
  ...FunctionParams.properties,
  id: Type.String({ minLength: 1, maxLength: 64, description: "Of the session" }),
});

const revision = Type.Integer();

/** What is told of a debug session, in order. */
export const DebugEvent = Type.Union(
  [
    closed({
      type: Type.Literal("session"),
      id: Type.String({ description: "For connections of debuggers" }),
      debugger: oneOf(
        ["inspector", "debugpy"],
        "What a debugger speaks with: the inspector of Node.js, or debugpy (the Debug Adapter Protocol)",
      ),
      runtime: Type.String(),
      driver: Type.String(),
      revision,
    }),
    closed({ type: Type.Literal("open"), revision }),
    closed({
      type: Type.Literal("failed"),
      revision,
      code: Type.String(),
      message: Type.String(),
    }),
    closed({ type: Type.Literal("sandbox_ended"), revision, reason: Type.String() }),
  ],
  {
    title: "DebugEvent",
    description:
      "`session` first; `open`: a debugger can be attached to another sandbox, after a deploy or the end of the one before; `failed`: none came to that, and it is tried again",
  },
);
export type DebugEvent = Static<typeof DebugEvent>;
