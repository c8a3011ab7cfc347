import { type Duplex, PassThrough, duplexPair } from "node:stream";
import { Flag, FrameReader, FrameWriter, Type } from "@isola/protocol/frames";
import type { DriverName } from "../../domain/function.ts";
import type {
  DestroyReason,
  DestroyReport,
  Driver,
  DriverProbe,
  Sandbox,
  SandboxExit,
  SandboxSpec,
  SandboxUsage,
} from "../../drivers/driver.ts";
import { IsolaError } from "../../errors.ts";

/** What the sandboxes of a test do; each may be changed at any time. */
export interface Behaviour {
  /** Runs before a start resolves; a rejection is a failed start. */
  onStart(): Promise<void>;
  /** Answers `INIT`: null is ready, a text is `init_failed`, "hang" nothing at all. */
  onInit(): string | null;
  /** Whether `INVOKE` is answered at all. */
  answersCalls: boolean;
  /** Runs before a reading of what is used is told. */
  onUsage(): Promise<void>;
}

/** A driver whose sandboxes are objects of this process that speak the real protocol: for tests of what stands above drivers. */
export class InProcessDriver implements Driver {
  readonly name: DriverName;
  readonly behaviour: Behaviour = {
    onStart: async () => {},
    onInit: () => null,
    answersCalls: true,
    onUsage: async () => {},
  };
  readonly sandboxes: InProcessSandbox[] = [];
  /** What was asked for, in order. */
  readonly specs: SandboxSpec[] = [];

  constructor(name: DriverName = "process") {
    this.name = name;
  }

  async start(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox> {
    this.specs.push(spec);
    await this.behaviour.onStart();
    if (signal.aborted) throw new IsolaError("sandbox_start_failed", "given up");
    const sandbox = new InProcessSandbox(spec.id, this.behaviour);
    this.sandboxes.push(sandbox);
    return sandbox;
  }

  get starts(): number {
    return this.specs.length;
  }

  get alive(): InProcessSandbox[] {
    return this.sandboxes.filter((sandbox) => sandbox.destroyedFor === null);
  }

  async probe(): Promise<DriverProbe> {
    return {
      name: this.name,
      isAvailable: true,
      tier: "none",
      versions: {},
      protections: [],
      problems: [],
      fixes: [],
    };
  }

  async sweep() {
    return { removed: [] };
  }

  async close(): Promise<void> {
    await Promise.all(this.sandboxes.map((sandbox) => sandbox.destroy("shutdown")));
  }
}

export class InProcessSandbox implements Sandbox {
  readonly id: string;
  readonly taskRoot = "/var/task";
  readonly control: Duplex;
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly exited: Promise<SandboxExit>;
  destroyedFor: DestroyReason | null = null;
  memoryBytes = 0;
  isFrozen = false;
  /** What is told of its use. */
  used: SandboxUsage = { memoryBytes: null, cpuMicros: null, pids: null };
  /** How often that was asked. */
  readings = 0;
  inits = 0;
  readonly #inside: Duplex;
  readonly #behaviour: Behaviour;
  readonly #writer: FrameWriter;
  #exit: (exit: SandboxExit) => void = () => {};

  constructor(id: string, behaviour: Behaviour) {
    this.id = id;
    this.#behaviour = behaviour;
    const [host, inside] = duplexPair();
    this.control = host;
    this.#inside = inside;
    this.exited = new Promise((resolve) => {
      this.#exit = resolve;
    });
    this.#writer = new FrameWriter((bytes) => this.#inside.write(bytes));
    const reader = new FrameReader("sandbox", (type, flags, stream) =>
      this.#onFrame(type, flags, stream),
    );
    inside.on("data", (chunk: Buffer) => reader.push(chunk));
    inside.on("error", () => {
      // The host destroys its end at will; nothing is lost in a test.
    });
    this.#writer.json(Type.HELLO, 0, { protocol: 1, runtime: "test", version: "1", pid: 1 });
  }

  async applyLimits(limits: { memoryBytes: number }): Promise<void> {
    this.memoryBytes = limits.memoryBytes;
  }

  async usage(): Promise<SandboxUsage> {
    this.readings += 1;
    await this.#behaviour.onUsage();
    return this.used;
  }

  async freeze(): Promise<boolean> {
    this.isFrozen = true;
    return true;
  }

  async thaw(): Promise<void> {
    this.isFrozen = false;
  }

  async destroy(reason: DestroyReason): Promise<DestroyReport> {
    this.destroyedFor ??= reason;
    this.#inside.destroy();
    this.#exit({ cause: "destroyed", exitCode: null, signal: "SIGKILL" });
    return { isConfirmed: true, tookMs: 0, usage: this.used };
  }

  /** The process ends by itself. */
  crash(): void {
    this.#exit({ cause: "exited", exitCode: 1, signal: null });
    this.#inside.destroy();
  }

  #onFrame(type: number, flags: number, stream: number): void {
    if (type === Type.INIT) this.inits += 1;
    if (type === Type.CODE && (flags & Flag.END) !== 0) this.#answerInit();
    if (type === Type.INVOKE && this.#behaviour.answersCalls) {
      this.#writer.text(Type.HEAD, 0, stream, "200\nx-sandbox\n" + this.id);
      this.#writer.frame(Type.BODY, Flag.END, stream, Buffer.from("ok"));
    }
  }

  #answerInit(): void {
    const problem = this.#behaviour.onInit();
    if (problem === "hang") return;
    if (problem === null) this.#writer.json(Type.READY, 0, { kind: "lambda", buffered: true });
    else
      this.#writer.json(Type.ERROR, 0, {
        code: "init_failed",
        type: "Error",
        message: problem,
        stack: "",
      });
  }
}
