import { once } from "node:events";
import { ApiError } from "@isola/client";
import { type Colors, type Paint, colorsFor } from "./colors.ts";
import type { Result } from "./command.ts";
import { printable, printableJson, printableLine } from "./printable.ts";

/** Where a command writes. */
export interface Streams {
  env: NodeJS.ProcessEnv;
  stdout: {
    write(chunk: string | Uint8Array): unknown;
    isTTY?: boolean;
    columns?: number;
  };
  stderr: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
}

const COLUMNS_DEFAULT = 80;

/** Shows results, notes, progress and errors: as JSON for machines, or as text that cannot act on the terminal. */
export class Output {
  readonly #streams: Streams;
  readonly #isJson: boolean;
  readonly #out: Colors;
  readonly #err: Colors;
  /** Of bytes that are shown: a character may come in two chunks. */
  readonly #decoder = new TextDecoder();
  #progress = "";

  constructor(streams: Streams, isJson: boolean) {
    this.#streams = streams;
    this.#isJson = isJson;
    this.#out = colorsFor(streams.stdout, streams.env);
    this.#err = colorsFor(streams.stderr, streams.env);
  }

  result({ json, text, paint }: Result): void {
    this.clear();
    if (this.#isJson && json !== undefined) this.#write(printableJson(json));
    if (!this.#isJson && text !== "") this.#write(this.#painted(text, paint));
  }

  /** One object or line of several. */
  emit({ json, text, paint }: Result): void {
    this.clear();
    this.#write(this.#isJson ? printableJson(json, 0) : this.#painted(text, paint));
  }

  /** For the person, beside the result. */
  note(text: string, paint?: Paint): void {
    if (this.#isJson) return;
    this.clear();
    const shown = printable(text);
    this.#streams.stderr.write(`${paint?.(shown, this.#err) ?? shown}\n`);
  }

  /** What goes on now: takes the place of what was said before on a terminal, a line of its own elsewhere. */
  progress(text: string): void {
    if (this.#isJson || text === this.#progress) return;
    const { stderr, env } = this.#streams;
    this.#progress = text;
    if (stderr.isTTY !== true || env.TERM === "dumb") {
      stderr.write(`${printable(text)}\n`);
      return;
    }
    const columns = stderr.columns ?? COLUMNS_DEFAULT;
    const line = printableLine(text)
      .replaceAll("\t", " ")
      .slice(0, columns - 1);
    stderr.write(`\r\u001b[K${line}`);
  }

  /** Takes a line of progress away from a terminal. */
  clear(): void {
    if (this.#progress === "") return;
    const { stderr, env } = this.#streams;
    if (stderr.isTTY === true && env.TERM !== "dumb") stderr.write("\r\u001b[K");
    this.#progress = "";
  }

  /** As they are, or as text on a terminal; waits for a slow reader. */
  async bytes(chunk: Uint8Array): Promise<void> {
    this.clear();
    const { stdout } = this.#streams;
    const shown =
      stdout.isTTY === true ? printable(this.#decoder.decode(chunk, { stream: true })) : chunk;
    if (stdout.write(shown) === false && "once" in stdout)
      await once(stdout as unknown as NodeJS.WritableStream, "drain");
  }

  error(error: Error): void {
    this.clear();
    const code = error instanceof ApiError ? error.code : "failed";
    const details = error instanceof ApiError ? error.details : [];
    if (this.#isJson) {
      this.#write(printableJson({ error: { code, message: error.message, details } }));
      return;
    }
    const lines = details
      .map((one) => `${one.path}: expected ${one.expected}, given ${one.given}`)
      .filter((line) => !error.message.includes(line));
    const text = printable([error.message, ...lines].join("\n  "));
    this.#streams.stderr.write(`${this.#err.red("isola:")} ${text}\n`);
  }

  #painted(text: string, paint?: Paint): string {
    const shown = printable(text);
    return paint?.(shown, this.#out) ?? shown;
  }

  #write(text: string): void {
    this.#streams.stdout.write(`${text}\n`);
  }
}
