import Type, { type Static } from "typebox";
import { closed, moment, nullable, oneOf } from "./shapes.ts";

export const GuestPart = closed(
  {
    kind: oneOf(
      ["kernel", "initramfs", "root", "tools"],
      "`root`: the read-only files of a runtime; `tools`: what its builds have beside them",
    ),
    text: Type.String({ description: "`nodejs26 26.10.0` of images, the version of a kernel" }),
    name: nullable(Type.String(), "Null where it is missing"),
    state: oneOf(
      ["current", "missing", "outdated"],
      "`missing`: it is made when it is needed; `outdated`: of something that has changed since",
    ),
    bytes: nullable(Type.Integer()),
    madeAt: nullable(moment("When it was made")),
  },
  "GuestPart",
);
export type GuestPart = Static<typeof GuestPart>;

/** Short, so it comes whole; it has the shape of every list. */
export const GuestPage = closed(
  { items: Type.Array(GuestPart), nextCursor: Type.Null() },
  "GuestPage",
);

export const BuildGuests = closed(
  {
    runtime: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description:
          "`nodejs`, `python`, or the full name of one that is installed; all of them by default",
      }),
    ),
    fresh: Type.Optional(
      Type.Boolean({ description: "The kernel is made anew though it is there, of the newest" }),
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
