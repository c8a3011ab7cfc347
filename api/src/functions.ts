import Type, { type Static } from "typebox";
import { NAME_PATTERN } from "./limits.ts";
import { projectMember, projectsMembers } from "./projects.ts";
import { metadataMembers, resolvedMembers, runtimeAsked, settingMembers } from "./settings.ts";
import { closed, moment, nullable, oneOf, pageMembers, pageOf, textByName } from "./shapes.ts";

const name = Type.String({
  pattern: NAME_PATTERN,
  description: "Lower-case letters, digits and `-`, begins with a letter, 63 at most",
});
const revision = Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 });

export const FunctionParams = closed({ name });

/** Exactly one of the two. */
export const Code = closed(
  {
    files: Type.Optional(textByName("Text of each file by its path")),
    zip: Type.Optional(Type.String({ description: "A zip archive in base64" })),
  },
  "Code",
);
export type Code = Static<typeof Code>;

export const CreateFunction = closed(
  { name, ...metadataMembers, runtime: runtimeAsked, ...settingMembers, code: Code },
  "CreateFunction",
);
export type CreateFunction = Static<typeof CreateFunction>;

/** Each member replaces the one of that name; what is left out stays. Code and settings that come together are one revision. */
export const PatchFunction = closed(
  {
    ...metadataMembers,
    runtime: Type.Optional(runtimeAsked),
    ...settingMembers,
    code: Type.Optional(Code),
  },
  "PatchFunction",
);
export type PatchFunction = Static<typeof PatchFunction>;

const layer = nullable(
  closed({
    digest: Type.String({ description: "SHA-256, lower-case hex" }),
    bytes: Type.Integer(),
    place: oneOf(
      ["beside", "instead"],
      "`beside` the code: dependencies; `instead` of it: a bundle",
    ),
  }),
  "What a build has made; null: the code needed none",
);

const functionMembers = {
  name,
  project: Type.String({ description: "That owns it" }),
  description: Type.String(),
  labels: textByName("Labels"),
  url: Type.String({ description: "The route of the settings, else the default route" }),
  urls: Type.Array(Type.String(), {
    description: "Every address: the default route, then the route of the settings",
  }),
  ...resolvedMembers,
  liveRevision: revision,
  latestRevision: revision,
  codeDigest: Type.String({
    description: "SHA-256 of the code as it was uploaded, lower-case hex",
  }),
  codeBytes: Type.Integer(),
  layer,
  createdAt: moment("When it was made"),
  updatedAt: moment("When it last changed"),
  etag: Type.String({ description: "For `If-Match`; also in the header `etag`" }),
};

export const FunctionView = closed(functionMembers, "Function");
export type FunctionView = Static<typeof FunctionView>;

const applied = Type.Boolean({
  description:
    "The gateway has confirmed the change: new calls see it. False: it is stored, and reaches the gateway once that answers again",
});

export const ChangedFunction = closed({ ...functionMembers, applied }, "ChangedFunction");
export type ChangedFunction = Static<typeof ChangedFunction>;

export const DeletedFunction = closed({ name, applied }, "DeletedFunction");
export type DeletedFunction = Static<typeof DeletedFunction>;

export const FunctionPage = pageOf(FunctionView, "FunctionPage");

export const FunctionListQuery = closed({
  ...projectsMembers,
  query: Type.Optional(
    Type.String({ maxLength: 200, description: "Part of the name or the description" }),
  ),
  label: Type.Optional(
    Type.Array(Type.String({ maxLength: 400 }), {
      maxItems: 16,
      description: "`key` or `key=value`; repeated, all must hold",
    }),
  ),
  sort: Type.Optional(
    oneOf(["name", "-name", "updatedAt", "-updatedAt", "createdAt", "-createdAt"]),
  ),
  ...pageMembers,
});
export type FunctionListQuery = Static<typeof FunctionListQuery>;

export const RevisionView = closed(
  {
    revision,
    isLive: Type.Boolean(),
    reason: oneOf(["create", "code", "settings"], "What made it"),
    createdAt: moment("When it was made"),
    createdBy: Type.String({ description: "Id of the key" }),
    codeDigest: Type.String(),
    codeBytes: Type.Integer(),
    layer,
    ...resolvedMembers,
  },
  "Revision",
);
export type RevisionView = Static<typeof RevisionView>;

export const FunctionPageQuery = closed({ ...projectMember, ...pageMembers });

export const RevisionPage = pageOf(RevisionView, "RevisionPage");

export const Rollback = closed({ revision }, "Rollback");
export type Rollback = Static<typeof Rollback>;

export const CodeQuery = closed({
  ...projectMember,
  revision: Type.Optional(revision),
});
