import type { Client } from "@isola/api/client";

/** A command is data: `program.ts` makes the command line, help and exit codes of this. */
export interface Command {
  /** `deploy [dir]`, in commander's notation. */
  usage: string;
  summary: string;
  options?: readonly Option[];
  /** It is about what one project owns: takes `--project`. */
  isOfProject?: boolean;
  /** Every argument, `--help` too, goes to `run` unparsed. */
  isPassThrough?: boolean;
  run(context: Context, args: readonly string[], options: Options): Promise<Result>;
}

export interface Option {
  /** `--memory-mib <n>` */
  flags: string;
  help: string;
  /** May be given several times; the value is a list. */
  isRepeatable?: boolean;
}

/** By commander's names: `--memory-mib` is `memoryMib`. */
export type Options = Record<string, string | boolean | readonly string[] | undefined>;

export interface Result {
  /** What `--json` prints; stable between versions. */
  json: unknown;
  /** What a person reads. Text of the server may be in it as it is: it is made printable on the way out. */
  text: string;
  exitCode?: number;
}

export interface Context {
  client: Client;
  /** Where the client calls. */
  url: string;
  /** Who said so, in words. */
  urlSource: string;
  env: NodeJS.ProcessEnv;
  cwd: string;
  isJson: boolean;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** A part of the result before its end. */
  emit(result: Result): void;
  /** For the person, beside the result: stderr, never with `--json`. */
  note(text: string): void;
  /** null where there is nobody to ask. */
  confirm(question: string): Promise<boolean | null>;
  readStdin(): Promise<Buffer>;
}

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  drift: 4,
  interrupted: 130,
} as const;

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
