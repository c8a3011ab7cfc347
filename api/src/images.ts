import Type, { type Static } from "typebox";
import { ErrorDetail } from "./errors.ts";
import { closed, moment, nullable, oneOf, wholePageOf } from "./shapes.ts";

export const ImageView = closed(
  {
    runtime: Type.String({ description: "`nodejs26`" }),
    reference: nullable(Type.String(), "Null where an image has lost its name to a newer one"),
    state: oneOf(
      ["current", "missing", "outdated", "base"],
      "`current`: sandboxes are made of it; `missing`: it is built when it is needed; `outdated`: of an earlier version; `base`: made of packages, for others to be built of",
    ),
    id: nullable(Type.String(), "`sha256:...`; null where it is missing"),
    bytes: nullable(Type.Integer(), "Its base included"),
    createdAt: nullable(moment("When it was built")),
    base: nullable(Type.String(), "Reference of what it is built of; null for a base"),
  },
  "Image",
);
export type ImageView = Static<typeof ImageView>;

export const ImagePage = wholePageOf(ImageView, "ImagePage");

/** Of whose image, or machine, a build is. */
export const RuntimeToBuild = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 64,
    description:
      "`nodejs`, `python`, or the full name of one that is installed; all of them by default",
  }),
);

export const BuildImages = closed(
  {
    runtime: RuntimeToBuild,
    offline: Type.Optional(
      Type.Boolean({
        description:
          "Bases are made of packages of the server's Debian, not fetched from a registry",
      }),
    ),
    fresh: Type.Optional(
      Type.Boolean({
        description:
          "Base and image are made anew though they are there, with what is newest in their source",
      }),
    ),
  },
  "BuildImages",
);
export type BuildImages = Static<typeof BuildImages>;

const runtime = Type.String();

/** One line of the answer to a build. The last is `done` or `error`. */
export const ImageEvent = Type.Union(
  [
    closed({ type: Type.Literal("progress"), runtime, text: Type.String() }),
    closed({
      type: Type.Literal("image"),
      runtime,
      reference: Type.String(),
      id: Type.String(),
      wasBuilt: Type.Boolean({ description: "False: it was there" }),
    }),
    closed({
      type: Type.Literal("error"),
      error: closed({
        code: Type.String(),
        message: Type.String(),
        requestId: Type.String(),
        details: Type.Array(ErrorDetail),
      }),
    }),
    closed({ type: Type.Literal("done") }),
  ],
  { title: "ImageEvent" },
);
export type ImageEvent = Static<typeof ImageEvent>;

export const PrunedImages = closed(
  {
    removed: Type.Array(Type.String(), {
      description: "References, or ids of images that had none",
    }),
    kept: Type.Array(
      closed({
        reference: Type.String(),
        reason: Type.String({ description: "In the words of the engine" }),
      }),
    ),
  },
  "PrunedImages",
);
export type PrunedImages = Static<typeof PrunedImages>;
