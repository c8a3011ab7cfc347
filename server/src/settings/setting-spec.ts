/** One setting: what it takes, what it is when nobody says, and one line of help. Names end in their unit or bound. */
export type SettingSpec = {
  help: string;
  /** A variable of a standard, which is taken where nothing else says. */
  standard?: string;
} & (
  | { kind: "integer"; least: number; most: number; default: number | "70% of memory" }
  | { kind: "decimal"; least: number; most: number; default: number; shown?: string }
  | { kind: "headers"; default: Readonly<Record<string, string>>; shown: string }
  | { kind: "name"; default: string; shown: string }
  | { kind: "currency"; default: string }
  | { kind: "boolean"; default: boolean }
  | { kind: "choice"; choices: readonly string[]; default: string }
  | { kind: "host"; default: string }
  | { kind: "hosts"; default: readonly string[] }
  | { kind: "ranges" | "addresses" | "networks"; default: readonly string[]; shown?: string }
  | { kind: "path"; default: string | null; shown: string }
  | { kind: "url"; default: null; shown: string }
  | { kind: "engine"; default: string; shown: string }
  | { kind: "image"; default: null; shown: string }
  | { kind: "runtime"; default: null; shown: string }
  | { kind: "registries"; default: readonly string[] }
);
