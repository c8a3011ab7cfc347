import { AssertionError } from "node:assert";
import { IsolaError, messageOf } from "../errors.ts";
import { RATIO_FREE_BYTES, RATIO_MAX, type PackageLimits } from "./package-limits.ts";

const NAME_CHARS_MAX = 120;

/** A name out of a package as it may be shown: quoted, cut, nothing in it that a terminal or page would act on. */
export function showName(name: string): string {
  const cut = name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX)}...` : name;
  return JSON.stringify(cut).replace(
    /[^\P{C}]|[\u2028\u2029]/gu,
    (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`,
  );
}

export function invalidPackage(message: string, cause?: unknown): IsolaError {
  return new IsolaError("invalid_package", message, { cause });
}

/** `rule` reads on from the name: `entry "a" is a symbolic link; ...`. */
export function invalidEntry(name: string, rule: string, cause?: unknown): IsolaError {
  return invalidPackage(`entry ${showName(name)} ${rule}`, cause);
}

export function packageTooLarge(message: string): IsolaError {
  return new IsolaError("package_too_large", message);
}

export function unpackedTooLarge(name: string, limits: PackageLimits): IsolaError {
  return packageTooLarge(
    `the package unpacks to more than ${limits.unpackedBytesMax} bytes: the limit was reached in entry ${showName(name)}`,
  );
}

/** Refuses what grows as no honest package does. `from` and `to` are bytes before and after. */
export function checkRatio(what: string, from: number, to: number): void {
  if (to <= RATIO_FREE_BYTES || to <= from * RATIO_MAX) return;
  throw invalidPackage(
    `${what} unpacks to more than ${RATIO_MAX} times its size: that is what an archive bomb does`,
  );
}

/** What a library says about a broken archive becomes `invalid_package`; our own refusals, and our own defects, stay as they are. */
export function asInvalidPackage(error: unknown, what: string): unknown {
  if (error instanceof IsolaError || error instanceof AssertionError) return error;
  return invalidPackage(`${what}: ${messageOf(error)}`, error);
}
