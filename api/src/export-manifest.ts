import Type, { type Static, type TSchema } from "typebox";
import { NAME_PATTERN, requestLimits } from "./limits.ts";
import { resolvedMembers } from "./settings.ts";
import { closed, moment, oneOf, textByName } from "./shapes.ts";

export const EXPORT_FORMAT = "isola-export";
export const EXPORT_VERSION = 1;
export const exportLimits = {
  revisionsMax: 1000,
  manifestBytesMax: 16 * 1_048_576,
  /** Of one code: the tar of a package, unpacked, with a header for each entry. */
  codeBytesMax: 512 * 1_048_576,
  /** Of all codes. */
  bytesMax: 20 * 1024 * 1_048_576,
} as const;

const { runtime, ...others } = resolvedMembers;
const revision = Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 });

function optional<P extends Record<string, TSchema>>(members: P) {
  const entries = Object.entries(members).map(([name, one]) => [name, Type.Optional(one)]);
  return Object.fromEntries(entries) as { [K in keyof P]: ReturnType<typeof Type.Optional<P[K]>> };
}

/** A revision as an export has it. Settings that an older version did not have are left out, and get their defaults. */
export const ExportedRevision = closed({
  revision,
  reason: oneOf(["create", "code", "settings"]),
  createdAt: moment("When it was made"),
  codeDigest: Type.String({ pattern: "^[0-9a-f]{64}$" }),
  codeBytes: Type.Integer({ minimum: 1, maximum: exportLimits.codeBytesMax }),
  settings: closed({ runtime, ...optional(others) }),
});
export type ExportedRevision = Static<typeof ExportedRevision>;

/** `isola-export.json`, the first entry of an export (docs/export.md). */
export const ExportManifest = closed({
  format: Type.Literal(EXPORT_FORMAT),
  version: Type.Literal(EXPORT_VERSION),
  exportedAt: moment("When it was written"),
  hasEnvValues: Type.Boolean({ description: "False: every value of env is null" }),
  function: closed({
    name: Type.String({ pattern: NAME_PATTERN }),
    description: Type.String({ maxLength: requestLimits.descriptionCharsMax }),
    labels: textByName("Labels", { maxProperties: requestLimits.labelsMax }),
  }),
  live: revision,
  revisions: Type.Array(ExportedRevision, {
    minItems: 1,
    maxItems: exportLimits.revisionsMax,
    description: "Oldest first",
  }),
});
export type ExportManifest = Static<typeof ExportManifest>;
