import { describeSettings } from "../server/src/config.ts";
import { type ErrorCode, errorCatalogue } from "../server/src/errors.ts";
import { notice, table, tableRow } from "./docs-table.ts";
import { metricsPage } from "./metrics-page.ts";

/** Pages made from tables in the sources, by their path below the root. */
export function generatedDocs(): Map<string, string> {
  return new Map([
    ["docs/settings.md", settingsPage()],
    ["docs/errors.md", errorsPage()],
    ["docs/metrics.md", metricsPage()],
  ]);
}

function settingsPage(): string {
  const rows = describeSettings().map((row) =>
    tableRow([
      `\`${row.name}\``,
      `\`${row.flag}\`<br>\`${row.variable}\``,
      row.expected,
      row.default,
      row.help,
    ]),
  );
  return `${notice}
# Settings

A setting is given as a flag (\`npm start -- --gateway-port 9000\`, \`isola up --gateway-port 9000\`), as an environment variable, or in a YAML or JSON file that
\`--config\` or \`ISOLA_CONFIG\` names. Flags win over variables, variables over the file, the file over defaults. Everything that is wrong or unknown is reported at once, and the server
does not start. Relative paths are taken from the current folder, those in a file from the file's folder.

${table(["Name (file)", "Flag, variable", "Takes", "Default", "What it does"], rows)}
`;
}

function errorsPage(): string {
  const rows = (Object.keys(errorCatalogue) as ErrorCode[]).map((code) => {
    const { status, blame, cause, cure } = errorCatalogue[code];
    return tableRow([`\`${code}\``, String(status), blame, cause, cure]);
  });
  return `${notice}
# Errors

Every error has one of these codes: in the body of an answer (\`error.code\`), in the header \`isola-error\` of the functions listener, in invocation records. Blame says whose move
it is: the caller's, the function's author's, or the operator's (platform).

${table(["Code", "Status", "Blame", "What happened", "What to do"], rows)}
`;
}
