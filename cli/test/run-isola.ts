import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import type { TestContext } from "node:test";
import { runProgram } from "../src/program.ts";
import { type FakeApi, fakeKey, startFakeApi } from "./fake-api.ts";

export interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** The command line with a server to talk to and a folder to work in. */
export interface Workplace {
  api: FakeApi;
  dir: string;
  write(path: string, text: string): void;
  isola(...argv: string[]): Promise<Outcome>;
}

export async function workplace(t: TestContext): Promise<Workplace> {
  const api = await startFakeApi();
  const dir = mkdtempSync(join(tmpdir(), "isola-cli-"));
  t.after(async () => {
    rmSync(dir, { recursive: true });
    await api.close();
  });
  const env = { ISOLA_URL: api.url, ISOLA_API_KEY: fakeKey };
  return {
    api,
    dir,
    write(path, text) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    },
    isola: (...argv) => runIsola(argv, { env, cwd: dir }),
  };
}

export async function runIsola(
  argv: string[],
  given: {
    env: NodeJS.ProcessEnv;
    cwd: string;
    stdin?: string;
    /** Keys pressed at a terminal once something is asked. */
    typed?: string;
    /** Keys pressed at a terminal, each once its question stands there. */
    keys?: readonly (readonly [question: string, keys: string])[];
    checkoutData?: string;
    signal?: AbortSignal;
    stdout?: { write(text: string): unknown };
  },
): Promise<Outcome> {
  const text = { stdout: "", stderr: "" };
  const keys = [...(given.keys ?? [])];
  if (given.typed !== undefined) keys.push(["[y/N]", given.typed]);
  const hasTerminal = keys.length > 0;
  const stdin = hasTerminal ? terminal() : Readable.from([Buffer.from(given.stdin ?? "")]);
  const stderr = hasTerminal ? terminal() : new PassThrough();
  let seen = 0;
  stderr.on("data", (chunk: Buffer) => {
    text.stderr += chunk.toString("utf8");
    const [question, pressed] = keys[0] ?? [];
    if (question === undefined || pressed === undefined) return;
    const at = text.stderr.indexOf(question, seen);
    if (at === -1) return;
    seen = at + question.length;
    keys.shift();
    setImmediate(() => (stdin as PassThrough).write(pressed)); // no person is as quick as the one that asks
  });
  const exitCode = await runProgram(argv, {
    // Whatever contexts this machine has are none of a test.
    env: { XDG_CONFIG_HOME: join(given.cwd, ".config"), ...given.env },
    cwd: given.cwd,
    stdin,
    ...(given.checkoutData && { checkoutData: given.checkoutData }),
    stdout: given.stdout ?? {
      write: (chunk) => void (text.stdout += Buffer.from(chunk).toString()),
    },
    stderr,
    signal: given.signal ?? new AbortController().signal,
  });
  return { exitCode, ...text };
}

function terminal(): PassThrough {
  return Object.assign(new PassThrough(), { isTTY: true, setRawMode() {} });
}
