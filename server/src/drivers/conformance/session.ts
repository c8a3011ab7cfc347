import assert from "node:assert/strict";
import { Flag, FrameReader, FrameWriter, Type } from "@isola/protocol/frames";
import { readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { pack } from "tar-stream";
import { MiB } from "../../domain/limits.ts";
import type { Driver, RuntimeSpec, Sandbox, SandboxLimits, SandboxSpec } from "../driver.ts";

/** A hang guard, far beyond what anything here takes. */
export let HANG_MS = 30_000;

/** Of this process, before any case begins: a driver whose sandboxes are slower than others by that factor. */
export function allowSlowness(factor: number): void {
  HANG_MS *= factor;
}
const OUTPUT_BYTES_MAX = 20_000;
const WORD_STEP_MS = 5;
export const defaultLimits: SandboxLimits = { memoryBytes: 256 * MiB, pidsMax: 64 };
export const TMP_BYTES = 8 * MiB;

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
  body: Buffer[];
}

let count = 0;

/** One sandbox and the host's side of its stream, as small as it can be. */
export class Session {
  readonly sandbox: Sandbox;
  /** Payload of `HELLO`. */
  readonly hello = Promise.withResolvers<{ runtime: string; pid: number }>();
  readonly #broken = Promise.withResolvers<string>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #calls = new Map<number, Waiting>();
  readonly #writer: FrameWriter;
  #streams = 0;
  #output = "";

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
    this.#writer = new FrameWriter((bytes) => sandbox.control.write(bytes));
    // oxlint-disable-next-line max-params -- the codec hands a frame on without making an object of it
    const reader = new FrameReader("host", (type, flags, stream, buffer, start, end) =>
      this.#onFrame(type, flags, stream, buffer.subarray(start, end)),
    );
    sandbox.control.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        this.#broken.resolve((error as Error).message);
      }
    });
    for (const stream of [sandbox.stdout, sandbox.stderr])
      stream.on("data", (chunk: Buffer) => this.#keep(chunk.toString("latin1")));
    for (const promise of [this.hello.promise, this.#ready.promise]) promise.catch(() => {}); // not every test waits for it
    void sandbox.exited.then((exit) => this.#fail(`ended: ${JSON.stringify(exit)}`));
    sandbox.control.on("close", () => this.#fail("its stream has closed"));
  }

  static async start(
    driver: Driver,
    runtime: RuntimeSpec,
    limits: SandboxLimits = defaultLimits,
    more: Pick<SandboxSpec, "egressOf" | "equipment"> = {},
  ): Promise<Session> {
    count += 1;
    const id = `sb-${process.pid}-${count}`;
    const spec = { id, runtime, limits, tmpBytes: TMP_BYTES, ...more };
    return new Session(await driver.start(spec, AbortSignal.timeout(HANG_MS)));
  }

  /** Resolves with the reason when it breaks the protocol. */
  get broken(): Promise<string> {
    return this.#broken.promise;
  }

  /** What it wrote outside of the protocol, and its log. */
  get output(): string {
    return this.#output;
  }

  /** Waits until it has written a word outside of the protocol or to its log. */
  async said(word: string): Promise<void> {
    for (const giveUp = AbortSignal.timeout(HANG_MS); !this.#output.includes(word); ) {
      assert(!giveUp.aborted, `${this.sandbox.id} did not say ${word}: ${this.#output}`);
      await delay(WORD_STEP_MS);
    }
  }

  /** Sends the code and waits until it is loaded. */
  async init(files: Record<string, string>, handler: string): Promise<void> {
    await this.hello.promise;
    this.#writer.json(Type.INIT, 0, initSettings(this.sandbox, handler));
    const tar = pack();
    for (const name of Object.keys(files).sort()) tar.entry({ name }, files[name] as string);
    tar.finalize();
    for await (const chunk of tar) this.#writer.frame(Type.CODE, 0, 0, chunk as Buffer);
    this.#writer.frame(Type.CODE, Flag.END, 0);
    await this.#ready.promise;
  }

  /** Gives the code one event. */
  invoke<T = unknown>(event: unknown): Promise<T> {
    this.#streams += 1;
    const stream = this.#streams;
    const answer = new Promise<T>((resolve, reject) => {
      this.#calls.set(stream, { resolve: resolve as (answer: unknown) => void, reject, body: [] });
    });
    const lines = [`inv-${stream}`, ...Array.from({ length: 8 }, () => "")];
    this.#writer.invoke(Flag.EVENT, stream, HANG_MS, Date.now() + HANG_MS, lines.join("\n"));
    this.#writer.body(Flag.END, stream, Buffer.from(JSON.stringify(event)));
    return answer;
  }

  /** Gives an event whose answer nobody waits for, as the sandbox will not live to give it. */
  invokeAndForget(event: unknown): void {
    this.invoke(event).catch(() => {});
  }

  #keep(text: string): void {
    if (this.#output.length < OUTPUT_BYTES_MAX) this.#output += text;
  }

  #onFrame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === Type.HELLO) this.hello.resolve(JSON.parse(payload.toString()));
    if (type === Type.READY) this.#ready.resolve();
    if (type === Type.LOG) this.#keep(`${payload.subarray(8).toString()}\n`);
    if (type === Type.ERROR && stream === 0) this.#fail(payload.toString());
    const call = this.#calls.get(stream);
    if (call === undefined) return;
    if (type === Type.ERROR) call.reject(new Error(payload.toString()));
    if (type === Type.BODY) call.body.push(Buffer.from(payload));
    if ((type === Type.BODY || type === Type.HEAD) && (flags & Flag.END) !== 0)
      call.resolve(JSON.parse(Buffer.concat(call.body).toString() || "null"));
  }

  #fail(why: string): void {
    const error = new Error(`${this.sandbox.id} ${why}\n${this.#output}`);
    this.hello.reject(error);
    this.#ready.reject(error);
    for (const call of this.#calls.values()) call.reject(error);
  }
}

function initSettings(sandbox: Sandbox, handler: string) {
  return {
    sandbox: sandbox.id,
    project: "default",
    function: "conformance",
    revision: 1,
    handler,
    concurrency: 10,
    memoryMiB: 256,
    timeoutMs: HANG_MS,
    initTimeoutMs: HANG_MS,
    env: { GREETING: "hello", HOST_NAMESPACES: hostNamespaces() },
    taskRoot: sandbox.taskRoot,
    requestBodyBytesMax: 6 * MiB,
    responseBodyBytesMax: 6 * MiB,
    logLineBytesMax: 262_144,
  };
}

/** By these the hostile code of a test sees that nothing holds it, and does not run. */
function hostNamespaces(): string {
  if (process.platform !== "linux") return "";
  return ["mnt", "pid"].map((kind) => readlinkSync(`/proc/self/ns/${kind}`)).join(" ");
}

/** Fails instead of waiting for ever. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${what}: not after ${HANG_MS} ms`)),
    HANG_MS,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Destroys and requires that nothing is left. */
export async function destroyed(session: Session): Promise<void> {
  const report = await soon(session.sandbox.destroy("idle"), "destroy");
  assert.equal(report.isConfirmed, true, `${session.sandbox.id} was not seen to be gone`);
  await soon(session.sandbox.exited, "the exit");
}
