import { createInterface } from "node:readline/promises";
import { ApiError, type Client, createClient } from "@isola/client";
import { textOption } from "./arguments.ts";
import {
  type Command,
  type Context,
  Failure,
  type Options,
  type Result,
  exitCodes,
} from "./command.ts";
import { type Connection, findConnection } from "./connection.ts";
import { explainFailure, inPlaces, placeOfCall } from "./explain-failure.ts";
import { printable, printableJson } from "./printable.ts";

/** What a run of the command line touches. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Data folder of the checkout that this command belongs to. */
  checkoutData?: string;
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  stdout: { write(text: string): unknown };
  stderr: NodeJS.WritableStream & { isTTY?: boolean };
  signal: AbortSignal;
}

export interface Run {
  args: string[];
  options: Options;
  around: Surroundings;
}

/** Runs a command, shows what it answers or how it failed, and resolves with the exit code. */
export async function runCommand(
  command: Command,
  { args, options, around }: Run,
): Promise<number> {
  const isJson = options.json === true;
  const server = serverOf(options, around);
  try {
    const context: Context = {
      get connection() {
        return server().connection;
      },
      get client() {
        return server().client;
      },
      get url() {
        return server().connection.url;
      },
      get urlSource() {
        return server().connection.urlSource;
      },
      env: around.env,
      cwd: around.cwd,
      isJson,
      signal: around.signal,
      emit: (result) => emitLine(result, isJson, around),
      note(text) {
        if (!isJson) around.stderr.write(`${printable(text)}\n`);
      },
      confirm: (question) => confirm(question, around),
      readStdin: () => readAll(around.stdin),
    };
    const result = await command.run(context, args, options);
    write(result, isJson, around);
    return result.exitCode ?? exitCodes.ok;
  } catch (error) {
    // Only a call of this server's client rejects so.
    const told = error instanceof ApiError ? inOurWords(error, server().connection) : error;
    return report(told, isJson, around);
  }
}

interface Server {
  connection: Connection;
  client: Client;
}

/** Looked for when a command first asks for it: some need no server. */
function serverOf(options: Options, around: Surroundings): () => Server {
  let found: Server | null = null;
  return () => {
    if (found !== null) return found;
    const [context, project] = [textOption(options, "context"), textOption(options, "project")];
    const connection = findConnection(around, { context, project });
    found = { connection, client: createClient({ ...connection, retries: 0 }) };
    return found;
  };
}

/** The same answer with a message for a person here; what is wrong with single settings belongs to the server's own message only. */
function inOurWords(error: ApiError, connection: Connection): ApiError {
  const message = explainFailure(error, connection);
  if (message === error.message) return inPlaces(error, placeOfCall);
  const { status, code, requestId } = error;
  return new ApiError(message, { status, code, requestId, cause: error });
}

function write({ json, text }: Result, isJson: boolean, around: Surroundings): void {
  if (isJson && json !== undefined) around.stdout.write(`${printableJson(json)}\n`);
  if (!isJson && text !== "") around.stdout.write(`${printable(text)}\n`);
}

/** One object or line of several. */
function emitLine({ json, text }: Result, isJson: boolean, around: Surroundings): void {
  around.stdout.write(`${isJson ? printableJson(json, 0) : printable(text)}\n`);
}

export function report(error: unknown, isJson: boolean, around: Surroundings): number {
  if (around.signal.aborted) return exitCodes.interrupted;
  if (!(error instanceof Failure) && !(error instanceof ApiError) && !isSystemError(error)) {
    throw error;
  }
  const code = error instanceof ApiError ? error.code : "failed";
  const details = error instanceof ApiError ? error.details : [];
  if (isJson) {
    const body = { error: { code, message: error.message, details } };
    around.stdout.write(`${printableJson(body)}\n`);
  } else {
    const lines = details
      .map((one) => `${one.path}: expected ${one.expected}, given ${one.given}`)
      .filter((line) => !error.message.includes(line));
    around.stderr.write(`${printable([`isola: ${error.message}`, ...lines].join("\n  "))}\n`);
  }
  if (error instanceof Failure) return error.exitCode;
  return code === "unreachable" ? exitCodes.unreachable : exitCodes.failed;
}

/** What the system refused, such as a file that this user may not read, says itself what and where. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

/** Ctrl-C is a no that ends the command, the end of the input an ordinary one. */
async function confirm(question: string, around: Surroundings): Promise<boolean | null> {
  if (!around.stdin.isTTY || !around.stderr.isTTY) return null;
  const lines = createInterface({ input: around.stdin, output: around.stderr });
  const ended = Promise.withResolvers<string>();
  lines.once("SIGINT", () => ended.reject(new Failure("Nothing was done", exitCodes.interrupted)));
  lines.once("close", () => ended.resolve("no"));
  const { signal } = around;
  let isAnswered = false;
  try {
    const asked = lines.question(`${printable(question)} [y/N] `, { signal });
    const answer = await Promise.race([asked, ended.promise]);
    isAnswered = true;
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (isEndOfInput(error) && !signal.aborted) return false;
    throw error;
  } finally {
    if (!isAnswered) around.stderr.write("\n"); // the question still stands in this line
    lines.close();
  }
}

/** Ctrl-D: readline gives up the question before it tells its end. */
function isEndOfInput(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

async function readAll(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
