import { ApiError, type Client, createClient } from "@isola/client";
import { textOption } from "./arguments.ts";
import { type Command, type Context, Failure, type Options, exitCodes } from "./command.ts";
import { type Connection, findConnection } from "./connection.ts";
import { explainFailure, inPlaces, otherNames, placeOfCall } from "./explain-failure.ts";
import { Output, type Streams } from "./output.ts";
import { confirm, terminalOf } from "./confirm.ts";
import { ownVersion, skewNote } from "./version-skew.ts";

/** What a run of the command line touches. */
export interface Surroundings extends Streams {
  cwd: string;
  /** Data folder of the checkout that this command belongs to. */
  checkoutData?: string;
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
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
  const output = new Output(around, isJson);
  const seen: Seen = { version: null };
  const server = serverOf(options, around, seen);
  try {
    const result = await command.run(contextOf(around, { isJson, output, server }), args, options);
    output.result(result);
    return result.exitCode ?? exitCodes.ok;
  } catch (error) {
    // Only a call of this server's client rejects so.
    if (!(error instanceof ApiError)) return report(error, output, around.signal);
    const { connection, client } = server();
    const asked = { command, args, options, client, signal: around.signal };
    const more = await otherNames(error, asked);
    return report(inOurWords(error, connection, more), output, around.signal);
  } finally {
    const note = skewNote(ownVersion(), seen.version);
    if (note !== null) output.note(`isola: ${note}`);
  }
}

/** What the answers said beside what was asked. */
interface Seen {
  /** Of the server. */
  version: string | null;
}

interface Server {
  connection: Connection;
  client: Client;
}

/** Looked for when a command first asks for it: some need no server. */
function serverOf(options: Options, around: Surroundings, seen: Seen): () => Server {
  let found: Server | null = null;
  return () => {
    if (found !== null) return found;
    const [context, project] = [textOption(options, "context"), textOption(options, "project")];
    const connection = findConnection(around, { context, project });
    const send: typeof fetch = async (...call) => {
      const response = await fetch(...call);
      seen.version = response.headers.get("isola-version") ?? seen.version;
      return response;
    };
    found = { connection, client: createClient({ ...connection, fetch: send, retries: 0 }) };
    return found;
  };
}

function contextOf(
  around: Surroundings,
  { isJson, output, server }: { isJson: boolean; output: Output; server: () => Server },
): Context {
  return {
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
    checkoutData: around.checkoutData,
    isJson,
    isTerminal: around.stdout.isTTY === true,
    signal: around.signal,
    emit: (result) => output.emit(result),
    note: (text, paint) => output.note(text, paint),
    progress: (text) => output.progress(text),
    writeBytes: (chunk) => output.bytes(chunk),
    confirm(question) {
      output.clear();
      return confirm(question, around);
    },
    terminal: isJson ? null : terminalOf(around),
    readStdin: () => readAll(around.stdin),
  };
}

/** The same answer with a message for a person here; what is wrong with single settings belongs to the server's own message only. */
function inOurWords(error: ApiError, connection: Connection, more: string): ApiError {
  const message = explainFailure(error, connection) + more;
  if (message === error.message) return inPlaces(error, placeOfCall);
  const { status, code, requestId } = error;
  return new ApiError(message, { status, code, requestId, cause: error });
}

/** Shows why a command failed. Resolves with the exit code; what nobody expected is thrown on. */
export function report(error: unknown, output: Output, signal: AbortSignal): number {
  if (signal.aborted) {
    output.clear();
    return exitCodes.interrupted;
  }
  if (!(error instanceof Failure) && !(error instanceof ApiError) && !isSystemError(error)) {
    throw error;
  }
  output.error(error);
  if (error instanceof Failure) return error.exitCode;
  const isAway = error instanceof ApiError && error.code === "unreachable";
  return isAway ? exitCodes.unreachable : exitCodes.failed;
}

/** What the system refused, such as a file that this user may not read, says itself what and where. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

async function readAll(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
