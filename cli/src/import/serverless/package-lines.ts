import type { Findings } from "../findings.ts";
import { type Known, isKnownMap, plainOf } from "../known-values.ts";

/** Lines for .isolaignore of `package.patterns` (those with `!`) and `package.exclude`. */
export function packageLines(value: Known, findings: Findings): string[] {
  if (!isKnownMap(value)) return [];
  const textsOf = (list: Known | undefined) =>
    (Array.isArray(list) ? list : []).map(plainOf).filter((text) => text !== null);
  const patterns = textsOf(value.patterns);
  const excluded = [
    ...patterns.filter((text) => text.startsWith("!")).map((text) => text.slice(1)),
    ...textsOf(value.exclude),
  ].map((text) => text.replace(/^\.\//, ""));
  const included = [...patterns.filter((text) => !text.startsWith("!")), ...textsOf(value.include)];
  const everything = excluded.some((text) => ["**", "**/*", "*", "./**", ""].includes(text));
  if (included.length > 0)
    findings.leave(
      "package",
      everything
        ? `it packs ${included.slice(0, 10).join(", ")} alone, and .isolaignore says what is left out: put the code into a folder of its own, or name the rest`
        : `${included.slice(0, 10).join(", ")}: .isolaignore brings nothing back that it leaves out; all else is packed`,
    );
  if (value.artifact)
    findings.leave("package.artifact", "unpack it and name its folder as `code` in isola.yaml");
  return everything ? [] : excluded.filter((text) => text !== "" && !/[\r\n]/.test(text));
}
