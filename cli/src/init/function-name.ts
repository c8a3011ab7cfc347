import { NAME_PATTERN } from "@isola/api/limits";

/** Why a function cannot have this name; null: it can. */
export function problemOfName(name: string): string | null {
  if (new RegExp(NAME_PATTERN).test(name)) return null;
  return `expected a name of lower-case letters, digits and -, a letter first, 63 at most; given: ${name}`;
}
