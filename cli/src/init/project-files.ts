import { stringify } from "yaml";
import { DEFINITION_FILE } from "../deploy/definition.ts";
import { type Template, readTemplateFiles } from "./templates.ts";

/** The files that a person begins with: those of the template, with the name of their function in place of the template's. */
export function projectFiles(
  { id }: Template,
  { name, schemaUrl }: { name: string; schemaUrl: string },
): Map<string, string> {
  const files = readTemplateFiles(id);
  const change = (path: string, changed: (text: string) => string) => {
    const text = files.get(path);
    if (text !== undefined) files.set(path, changed(text));
  };
  change(DEFINITION_FILE, (text) => {
    const key = stringify(name).trim(); // quoted where YAML would take it for something else: `null`
    const renamed = text.replace(`\n  ${id}:`, () => `\n  ${key}:`);
    return `# yaml-language-server: $schema=${schemaUrl}\n${renamed}`;
  });
  change("README.md", (text) =>
    text.replaceAll(new RegExp(`(?<![\\w-])${id}(?![\\w-])`, "g"), name),
  );
  for (const path of ["package.json", "package-lock.json"])
    change(path, (text) => text.replaceAll(`"name": "${id}"`, `"name": "${name}"`));
  return files;
}

/** The first command of a README that begins with curl, as it stands there. */
export function firstCurl(readme: string): string | null {
  return /^```sh\n(curl .*?)\n```$/ms.exec(readme)?.[1] ?? null;
}
