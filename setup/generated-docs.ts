import { definitionFileSchema } from "../api/src/definition-file.ts";
import { describeSettings } from "../server/src/config.ts";
import { eventCatalogue, eventKinds } from "../server/src/domain/events.ts";
import { type ErrorCode, errorCatalogue } from "../server/src/errors.ts";
import { notice, table, tableRow } from "./docs-table.ts";
import { cliPage } from "./cli-page.ts";
import { conformancePage } from "./conformance-page.ts";
import { functionSettingsPage } from "./function-settings-page.ts";
import { metricsPage } from "./metrics-page.ts";
import { templatesPage } from "./templates-page.ts";

/** Pages made from tables in the sources, by their path below the root. */
export function generatedDocs(): Map<string, string> {
  return new Map([
    ["docs/cli.md", cliPage()],
    ["docs/settings.md", settingsPage()],
    ["docs/function-settings.md", functionSettingsPage()],
    ["docs/errors.md", errorsPage()],
    ["docs/events.md", eventsPage()],
    ["docs/metrics.md", metricsPage()],
    ["docs/conformance.md", conformancePage()],
    ["docs/isola.schema.json", `${JSON.stringify(definitionFileSchema(), null, 2)}\n`],
    ["docs/templates.md", templatesPage()],
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

function eventsPage(): string {
  const rows = eventKinds.map((kind) => {
    const { severity, text, fields } = eventCatalogue[kind];
    const named = Object.entries(fields).map(([name, what]) => `\`${name}\`: ${what}`);
    return tableRow([`\`${kind}\``, severity, text, named.join("<br>")]);
  });
  return `${notice}
# Events

What happens to the platform, as a list: \`GET /api/v1/events\` (scope \`read\`), newest first, by \`kind\` (repeated, any of them), \`function\`, \`severity\` (at least), \`since\` and \`until\` (Unix ms), with cursors both ways as of [logs](logs.md#search); with \`Accept: text/event-stream\` a
[live tail](logs.md#live-tail). \`isola events\` shows them, \`isola events -f\` goes on. What functions themselves write is in their logs. A key of a project sees what happened to that project
alone; others see what happened to the platform as a whole, and to the project that they name.

Events are written in batches beside what they tell of, never on its way: those of the last moment (0.1 s of the control plane, up to 2 s of the gateway) are lost where a process is killed. Each is stored once. What may come in floods (starts, ends and failures of the
sandboxes of one revision) is gathered for a second and told as one, with a \`count\` and the facts of the last; above a thousand revisions in a second the rest is counted as lost. \`eventsKeptMax\` events are kept, for \`recordsKeptHours\` at most.

${table(["Kind", "Severity", "Says", "Fields"], rows)}
`;
}
