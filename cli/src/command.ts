import type { Readable, Writable } from "node:stream";
import type { Client } from "@isola/client";
import type { Paint } from "./colors.ts";
import type { Connection } from "./connection.ts";

/** A command is data: parsing, help, completion and the page docs/cli.md are made of this. */
export interface Command {
  /** `deploy [dir]`: the name, or the verb in a group, then `<needed>`, `[optional]` and, last, `[any...]`. */
  usage: string;
  /** One line without a full stop. */
  summary: string;
  /** By the names in `usage`. */
  positionals?: Readonly<Record<string, Positional>>;
  options?: readonly Option[];
  examples?: readonly Example[];
  /** Paragraphs of Markdown behind the summary, in the help and on the page. */
  details?: readonly string[];
  /** What `--json` prints, in words; needed of every command that answers. */
  json?: string;
  /** It is about what one project owns: takes `--project`. */
  isOfProject?: boolean;
  /** It asks no server: takes no `--context`. */
  isLocal?: boolean;
  /** Every argument, `--help` too, goes to `run` unparsed. */
  isPassThrough?: boolean;
  run(context: Context, args: readonly string[], options: Options): Promise<Result>;
}

/** A noun with its verbs: `projects create`. */
export interface CommandGroup {
  name: string;
  summary: string;
  commands: readonly Command[];
  /** The verb that runs where none is named. */
  default?: string;
  details?: readonly string[];
}

export interface Positional {
  help: string;
  completes?: Completes;
}

export interface Option {
  /** `--memory-mib <n>`, `-f, --follow`; `--no-check` makes `check` false. */
  flags: string;
  help: string;
  /** May be given several times; the value is a list. */
  isRepeatable?: boolean;
  /** What fits as the value. */
  completes?: Completes;
}

/** For completion in a shell: fixed values, or names of that kind. */
export type Completes =
  | readonly string[]
  | "function"
  | "project"
  | "runtime"
  | "context"
  | "folder"
  | "file";

export interface Example {
  /** As it is typed, `isola` included. */
  line: string;
  says: string;
}

/** In camel case: `--memory-mib` is `memoryMib`. */
export type Options = Record<string, string | boolean | readonly string[] | undefined>;

export interface Result {
  /** What `--json` prints; stable between versions. */
  json: unknown;
  /** What a person reads. Text of the server may be in it as it is: it is made printable on the way out. */
  text: string;
  /** Puts colours into the text on a terminal that takes them. */
  paint?: Paint;
  exitCode?: number;
}

export interface Context {
  /** Where `client` calls. This and the next three are looked for when a command first asks for one of them. */
  connection: Connection;
  client: Client;
  url: string;
  /** Who said so, in words. */
  urlSource: string;
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Data folder of the checkout that this command belongs to. */
  checkoutData: string | undefined;
  isJson: boolean;
  /** stdout is one. */
  isTerminal: boolean;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** A part of the result before its end. */
  emit(result: Result): void;
  /** For the person, beside the result: stderr, never with `--json`. */
  note(text: string, paint?: Paint): void;
  /** What goes on now, for long work: on a terminal a line that is rewritten, else a line each. As `note` otherwise. */
  progress(text: string): void;
  /** To stdout as they are, or as text where that is a terminal. Waits for a slow reader. */
  writeBytes(chunk: Uint8Array): Promise<void>;
  /** null where there is nobody to ask. */
  confirm(question: string): Promise<boolean | null>;
  /** For questions that `confirm` is too little for; null where there is nobody to ask. */
  terminal: Terminal | null;
  readStdin(): Promise<Buffer>;
}

/** Where a person sits. */
export interface Terminal {
  input: Readable;
  output: Writable;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  drift: 4,
  interrupted: 130,
} as const;

/** For the help and the page. */
export const exitCodeMeanings: Record<keyof typeof exitCodes, string> = {
  ok: "done",
  failed: "failed",
  usage: "wrong usage, or nobody said yes",
  unreachable: "the server is not reachable",
  drift: "`deploy --check`: something differs",
  interrupted: "Ctrl-C",
};

/** An expected failure: its message is all that is shown. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.name = "Failure";
    this.exitCode = exitCode;
  }
}

export function usageFailure(message: string): Failure {
  return new Failure(message, exitCodes.usage);
}
