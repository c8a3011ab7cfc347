import { IsolaError } from "../errors.ts";

/** `project.dependencies` of a pyproject.toml, as TOML writes a list of texts. Throws `invalid_package` where it is written otherwise. */
export function projectDependencies(toml: string): string[] {
  const section = /^[ \t]*\[[ \t]*project[ \t]*\][ \t]*(?:#.*)?$/m.exec(toml);
  if (section === null) return [];
  const rest = toml.slice(section.index + section[0].length);
  const next = /^[ \t]*\[[ \t]*[\w"'.-]+[ \t\w"'.-]*\][ \t]*(?:#.*)?$/m.exec(rest);
  const members = next === null ? rest : rest.slice(0, next.index);
  const key = /^[ \t]*dependencies[ \t]*=[ \t]*/m.exec(members);
  return key === null ? [] : textList(members.slice(key.index + key[0].length));
}

const step = /\s+|#[^\n]*|,|(?<end>\])|"(?<basic>(?:[^"\\\n]|\\.)*)"|'(?<literal>[^'\n]*)'/y;

function textList(text: string): string[] {
  if (!text.startsWith("[")) throw unreadable();
  const found: string[] = [];
  for (step.lastIndex = 1; ; ) {
    const match = step.exec(text);
    if (match === null) throw unreadable();
    const { end, basic, literal } = match.groups ?? {};
    if (end !== undefined) return found;
    if (basic !== undefined) found.push(JSON.parse(`"${basic}"`) as string);
    if (literal !== undefined) found.push(literal);
  }
}

function unreadable(): IsolaError {
  return new IsolaError(
    "invalid_package",
    "project.dependencies of pyproject.toml should be a list of texts; write it so, or add a requirements.txt",
  );
}
