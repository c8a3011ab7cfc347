import Type, { type Static } from "typebox";
import { RuntimeToBuild } from "./images.ts";
import { closed, moment, nullable, oneOf, wholePageOf } from "./shapes.ts";

export const GuestPart = closed(
  {
    kind: oneOf(
      ["kernel", "initramfs", "root", "tools"],
      "`root`: the read-only files of a runtime; `tools`: what its builds have beside them",
    ),
    text: Type.String({
      description: "`nodejs26 26.10.0` of images, of a kernel its version and where it is from",
    }),
    name: nullable(Type.String(), "Null where it is missing"),
    state: oneOf(
      ["current", "missing", "outdated"],
      "`missing`: it is made when it is needed; `outdated`: of something that has changed since, or not used any more",
    ),
    bytes: nullable(Type.Integer()),
    madeAt: nullable(moment("When it was made")),
  },
  "GuestPart",
);
export type GuestPart = Static<typeof GuestPart>;

export const GuestPage = wholePageOf(GuestPart, "GuestPage");

export const BuildGuests = closed(
  {
    runtime: RuntimeToBuild,
    fresh: Type.Optional(
      Type.Boolean({ description: "The kernel is made anew though it is there, of the newest" }),
    ),
    kernel: Type.Optional(
      Type.Boolean({
        description:
          "A small kernel is built first, which takes minutes; guests have it from then on. In the events its `runtime` is `kernel`",
      }),
    ),
  },
  "BuildGuests",
);
export type BuildGuests = Static<typeof BuildGuests>;

export const PrunedGuests = closed(
  { removed: Type.Array(Type.String({ description: "`root-0123456789abcdef`" })) },
  "PrunedGuests",
);
export type PrunedGuests = Static<typeof PrunedGuests>;
