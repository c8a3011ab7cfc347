/** How bad a line is, least first; `none`: nothing says. */
export const logLevels = ["none", "trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = (typeof logLevels)[number];

/** `level` and everything above it. */
export function levelsFrom(level: LogLevel): LogLevel[] {
  return logLevels.slice(logLevels.indexOf(level));
}

/** Longer lines are not looked into for JSON. */
const JSON_CHARS_MAX = 65_536;

const levelsByName: ReadonlyMap<string, LogLevel> = new Map([
  ["trace", "trace"],
  ["silly", "trace"],
  ["finest", "trace"],
  ["debug", "debug"],
  ["dbg", "debug"],
  ["verbose", "debug"],
  ["info", "info"],
  ["information", "info"],
  ["notice", "info"],
  ["warn", "warn"],
  ["warning", "warn"],
  ["wrn", "warn"],
  ["error", "error"],
  ["err", "error"],
  ["severe", "error"],
  ["fatal", "fatal"],
  ["critical", "fatal"],
  ["crit", "fatal"],
  ["alert", "fatal"],
  ["emerg", "fatal"],
  ["emergency", "fatal"],
  ["panic", "fatal"],
]);

/**
 * The level of a line. What its JSON says in `level` or `severity` (a word, or a number as pino writes it) holds whatever it was written with; a word at its start (`ERROR: ...`, `[warn] ...`,
 * `WARNING ...` in capitals) holds where it was written without a level or as `info`, which is how `console.log` writes.
 */
export function levelOf(given: LogLevel, text: string): LogLevel {
  const fields = fieldsOf(text);
  if (fields !== null) return levelIn(fields) ?? given;
  return given === "none" || given === "info" ? (levelBefore(text) ?? given) : given;
}

/** What a line of JSON says in `msg` or `message`; null: it is none, or says nothing there. */
export function messageIn(text: string): string | null {
  const fields = fieldsOf(text);
  if (fields === null) return null;
  const said = fields.msg ?? fields.message;
  return typeof said === "string" ? said : null;
}

function fieldsOf(text: string): Record<string, unknown> | null {
  if (text.charCodeAt(0) !== 123 || text.length > JSON_CHARS_MAX) return null;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null; // a line that begins like JSON is as good as any other
  }
}

function levelIn({ level, severity }: Record<string, unknown>): LogLevel | null {
  const said = level ?? severity;
  if (typeof said === "number") return levelOfNumber(said);
  return typeof said === "string" ? (levelsByName.get(said.toLowerCase()) ?? null) : null;
}

/** pino's: 10 trace, 20 debug ... 60 fatal; what lies between counts as the lower one. */
function levelOfNumber(level: number): LogLevel | null {
  if (!(level >= 10 && level <= 100)) return null;
  return logLevels[Math.min(6, Math.floor(level / 10))] ?? null;
}

/** A word in brackets or before a colon, in any case; in capitals also before a blank. */
const prefix = /^\s{0,8}(?:\[([A-Za-z]{3,11})\]|([A-Za-z]{3,11}):|([A-Z]{4,11})(?=\s))/;

function levelBefore(text: string): LogLevel | null {
  const found = prefix.exec(text);
  const word = found?.[1] ?? found?.[2] ?? found?.[3];
  return word === undefined ? null : (levelsByName.get(word.toLowerCase()) ?? null);
}
