import {
  type Artifact,
  type Layer,
  type RevisionSettings,
  unpackedBytesOf,
} from "../domain/function.ts";
import { fixedLimits } from "../domain/limits.ts";
import { IsolaError } from "../errors.ts";
import type { RevisionRow } from "../store/store.ts";

/** What a revision runs: the code as it was uploaded, and what was built for it. */
export type Code = { artifact: Artifact; layer?: Layer };

/** Settings with the same key make the same of a package. */
export function buildKey({ runtime, driver, handler, build }: RevisionSettings): string {
  return JSON.stringify([runtime, driver, build.bundle ? handler : "", build]);
}

/** Of a new revision with other settings than the live one. */
export function codeFor(
  { artifact, layer, settings: before }: RevisionRow,
  settings: RevisionSettings,
  rebuilt: (Code & { key: string }) | null,
): Code {
  if (buildKey(settings) === buildKey(before)) return { artifact, ...(layer && { layer }) };
  if (rebuilt?.key !== buildKey(settings) || rebuilt.artifact.digest !== artifact.digest)
    throw changedMeanwhile("the function");
  return { artifact, ...(rebuilt.layer && { layer: rebuilt.layer }) };
}

export function changedMeanwhile(name: string): IsolaError {
  return new IsolaError("conflict", `${name} was changed while this change was built; repeat it`);
}

export function checkSize({ artifact, layer }: Code): void {
  const { packageUnpackedBytesMax, packageEntriesMax } = fixedLimits;
  const bytes = unpackedBytesOf({ artifact, ...(layer && { layer }) });
  const entries =
    (layer?.place === "instead" ? 0 : artifact.entries) + (layer?.artifact.entries ?? 0);
  if (bytes <= packageUnpackedBytesMax && entries <= packageEntriesMax) return;
  const text = `with what was built the code has ${entries} files and folders with ${bytes} bytes; at most ${packageEntriesMax} with ${packageUnpackedBytesMax} are taken`;
  throw new IsolaError("package_too_large", text);
}

export function sameSettings(a: RevisionSettings, b: RevisionSettings): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

export function sameCode(a: Code, b: Code): boolean {
  const digestOf = ({ layer }: Code) => layer && [layer.artifact.digest, layer.place].join(" ");
  return a.artifact.digest === b.artifact.digest && digestOf(a) === digestOf(b);
}

function sorted(settings: RevisionSettings): unknown {
  const env = Object.entries(settings.env).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const members = Object.entries({ ...settings, env });
  return members.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
