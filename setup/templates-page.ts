import { type Template, languages, readTemplates } from "../cli/src/init/templates.ts";
import { notice, table, tableRow } from "./docs-table.ts";

/** docs/templates.md, of what the templates tell about themselves. */
export function templatesPage(): string {
  const templates = readTemplates();
  const parts = languages.map((language) => {
    const rows = templates.filter((each) => each.language === language).map(rowOf);
    return `## ${language}\n\n${table(["Template", "Handler", "What it does"], rows)}\n`;
  });
  return `${notice}
# Templates

Functions to begin with. \`isola init\` asks for a language, a template and a name, and writes a folder that deploys as it is; so does

\`\`\`sh no-run: installs from package registries; server/test/templates.test.ts
isola init shop --template hono-ts
isola deploy shop
\`\`\`

\`isola init --list\` shows this list, the console's page "New function" offers the same. Each folder has a README with calls to try and what they answer; a test runs them. \`isola.yaml\` holds the settings, \`.isolaignore\` names what is no part of
the package. A folder that is not empty is refused; \`--force\` writes beside other files and overwrites none.

${parts.join("\n")}
What a template needs from a registry is installed when it is deployed ([builds.md](builds.md)), by exact versions.
`;
}

function rowOf({ id, settings, description }: Template): string {
  return tableRow([`[${id}](../templates/${id})`, `\`${settings.handler}\``, description]);
}
