import {
  fixedLimits,
  scalingLimits,
  settingLimits,
  streamLimits,
} from "../server/src/domain/limits.ts";
import { settingMembers } from "../api/src/settings.ts";
import { notice, table, tableRow } from "./docs-table.ts";

type Name = keyof typeof settingMembers;

/** When a person changes it, and what is not a number's default: what the sources do not say. */
const advice: Record<Name, { default?: string; bounds?: string; when: string }> = {
  handler: {
    default: "`index.handler`; Python: `handler`, `app` or `application` of `app.py`",
    bounds: "`file.export`, 256 characters",
    when: "The file or the export has another name",
  },
  route: {
    default: "none: `/<name>` and below",
    bounds: `methods, and a path of ${fixedLimits.routePathCharsMax} characters`,
    when: "The function shall answer at a path of its own",
  },
  driver: {
    default: "the project's, else the server's `defaultDriver`",
    when: "The code needs more isolation, or the internet ([isolation.md](isolation.md))",
  },
  memoryMiB: { when: "`out_of_memory`; more than it needs costs places for other sandboxes" },
  tmpMiB: { when: "It writes large files; a value of its own means no blank sandboxes for it" },
  timeoutMs: { when: "`function_timeout`, or to let what hangs go sooner" },
  initTimeoutMs: { when: "`init_timeout`: imports take long" },
  queueTimeoutMs: { when: "Callers would rather be refused soon, or wait longer, when it is busy" },
  concurrency: {
    when: "The code mostly waits (fetch, a database, streams) and its globals may be shared",
  },
  concurrencyTarget: { when: "Sandboxes shall start before those there are full" },
  minSandboxes: { when: "No caller shall meet a cold start; costs their memory all the time" },
  maxSandboxes: {
    when: "A bound for what one function takes; 1 makes its memory one for all calls",
  },
  reservedConcurrency: {
    bounds: "1 to less than the server's `invocationsMax`",
    when: "Its calls shall have room whatever other functions do",
  },
  idleTimeoutMs: {
    bounds: `${settingLimits.idleTimeoutMs.least} to ${settingLimits.idleTimeoutMs.most} ms, or \`auto\``,
    when: "`auto` for calls at even distances; less where memory is short",
  },
  timeoutGraceMs: { when: "The code has to clean up after its deadline" },
  firstByteTimeoutMs: { when: "A stream has to begin soon though it may go on for long" },
  streamIdleTimeoutMs: { when: "A stream that stops sending shall be cut" },
  streamTimeoutMs: { when: "Streams last longer, or less long, than `timeoutMs`" },
  afterResponse: {
    default: "`freeze`",
    when: "`allow` for work behind an answer, `kill` where no two calls may share a sandbox",
  },
  onDisconnect: {
    default: "`cancel`",
    when: "`continue` where work must be finished though nobody waits",
  },
  network: { default: "`none`", when: "The code calls out; the driver has to be `docker`" },
  schedules: {
    bounds: `${fixedLimits.schedulesMax} of them, ${fixedLimits.scheduleEventsBytesMax} bytes of events in all`,
    when: "It shall run at certain times; replaced as a whole ([schedules.md](schedules.md))",
  },
  build: {
    default: "dependencies `auto`, the others `false`",
    bounds: "`dependencies`, `scripts`, `bundle`",
    when: "TypeScript shall be bundled, or packages need their scripts ([builds.md](builds.md))",
  },
  env: {
    default: "none",
    bounds: `${fixedLimits.envBytesMax} bytes of names and values`,
    when: "Configuration and secrets; replaced as a whole, `isola env` changes single ones",
  },
  exposeErrors: {
    default: "`false`",
    when: "While trying things; callers then see error text and stack",
  },
};

/** docs/function-settings.md */
export function functionSettingsPage(): string {
  const rows = (Object.keys(settingMembers) as Name[]).map((name) =>
    tableRow([`\`${name}\``, whatOf(name), defaultOf(name), boundsOf(name), advice[name].when]),
  );
  return `${notice}
# Settings of a function

Given in \`isola.yaml\`, as flags of \`isola deploy\` (\`--memory-mib 256\` for \`memoryMiB\`), in the console, or as members of \`POST /api/v1/functions\` and \`PATCH /api/v1/functions/{name}\`. A deploy that does not name a setting keeps it; a change of any makes a revision. The unit is the end of the name: Ms are
milliseconds, MiB are 1,048,576 bytes. A value out of its bounds is refused with \`invalid_request\`, which names field, expected and given. \`runtime\` (\`nodejs\`, \`python\`, or one by name such as \`nodejs26\`) is needed where a function is made through the API; the command line tells it from the files. Not part of a revision: \`description\` and \`labels\`.

${table(["Setting", "What it is", "Default", "Bounds", "When to change it"], rows)}

The settings of the server are in [settings.md](settings.md): \`timeoutMsMax\` there lowers what functions may ask for as \`timeoutMs\`.
`;
}

interface Schema {
  description?: string;
  enum?: readonly string[];
}

function schemaOf(name: Name): Schema {
  return settingMembers[name] as Schema;
}

function whatOf(name: Name): string {
  return schemaOf(name).description ?? fallback[name] ?? "";
}

/** Of those whose schema describes its members instead. */
const fallback: Partial<Record<Name, string>> = {
  build: "What is made of the package before its revision exists",
};

function defaultOf(name: Name): string {
  const given = advice[name].default;
  if (given !== undefined) return given;
  return name in settingLimits
    ? String(settingLimits[name as keyof typeof settingLimits].default)
    : "none";
}

function boundsOf(name: Name): string {
  const given = advice[name].bounds;
  if (given !== undefined) return given;
  const limits: Record<string, { least: number; most: number }> = {
    ...settingLimits,
    ...scalingLimits,
    ...streamLimits,
  };
  const limit = limits[name];
  if (limit !== undefined) return `${limit.least} to ${limit.most}`;
  const choices = schemaOf(name).enum ?? [];
  return choices.length > 0 ? choices.map((one) => `\`${one}\``).join(", ") : "`true` or `false`";
}
