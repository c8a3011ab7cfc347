import { Flag, FrameReader, HEADER_BYTES, Type } from "@isola/protocol/frames";
import type { InitSettings } from "@isola/protocol/channel-types";
import type { Nature } from "./nature.ts";
import type { CallHow, CancelHow } from "./profile.ts";

/** What the runtime needs of the sandbox around it. */
export interface RuntimeHost {
  readonly id: string;
  readonly isAlive: boolean;
  send(bytes: Buffer): void;
  die(why: string): void;
  onInit(settings: InitSettings): void;
  /** `READY` has been sent. */
  onReady(): void;
  onInvoke(invocation: string, open: number): void;
}

interface OpenCall {
  stream: number;
  invocation: string;
  deadlineAt: number;
  isOver: boolean;
}

const GARBAGE = Buffer.alloc(HEADER_BYTES, 0xff);

/** The runtime and the function in a sandbox: speaks the real protocol, and behaves as the profile of the run says. */
export class SimulatedRuntime {
  readonly #nature: Nature;
  readonly #host: RuntimeHost;
  readonly #reader: FrameReader;
  readonly #calls = new Map<number, OpenCall>();
  #initTimeoutMs = 0;

  constructor(nature: Nature, host: RuntimeHost) {
    this.#nature = nature;
    this.#host = host;
    this.#reader = new FrameReader("sandbox", (...[type, flags, stream, buffer, ...place]) =>
      this.#onFrame(type, flags, stream, buffer.subarray(...place)),
    );
  }

  receive(bytes: Buffer): void {
    this.#reader.push(bytes);
  }

  boot(): void {
    const { random, profile } = this.#nature;
    const how = random.weighted(profile.hello);
    if (how === "never") return;
    this.#later(how === "slow" ? random.between(1, 3000) : random.between(0, 3), () => {
      if (how === "die") return this.#host.die("before HELLO");
      if (how === "breach") return this.#host.send(GARBAGE);
      this.#json(Type.HELLO, 0, { protocol: 1, runtime: "simulated", version: "1", pid: 1 });
      if (how === "talksOn") this.#host.send(GARBAGE);
    });
  }

  #onFrame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === Type.INIT) {
      const settings = JSON.parse(payload.toString()) as InitSettings;
      this.#initTimeoutMs = settings.initTimeoutMs;
      this.#host.onInit(settings);
    }
    if (type === Type.CODE && (flags & Flag.END) !== 0) this.#init();
    if (type === Type.INVOKE) this.#invoke(stream, payload);
    if (type === Type.CANCEL) this.#cancel(stream);
  }

  #init(): void {
    const { random, profile } = this.#nature;
    const how = random.weighted(profile.init);
    if (how === "never") return;
    const most = this.#initTimeoutMs;
    const delayMs = { slow: random.between(1, 2 * most), atDeadline: most, prompt: 1 };
    this.#later(
      how in delayMs ? delayMs[how as keyof typeof delayMs] : random.between(0, 9),
      () => {
        if (how === "die") return this.#host.die("during init");
        if (how === "breach") return this.#host.send(GARBAGE);
        if (how === "refuse") return this.#error(0, "init_failed");
        this.#json(Type.READY, 0, { kind: "lambda", buffered: random.chance(0.5) });
        this.#host.onReady();
        if (how === "talksOn") this.#host.send(GARBAGE);
      },
    );
  }

  #invoke(stream: number, payload: Buffer): void {
    const { random, profile, loop, watch } = this.#nature;
    const invocation = payload.toString("latin1", 12).split("\n", 1)[0] as string;
    const deadlineAt = payload.readDoubleLE(4) - (loop.wall() - loop.now());
    const call: OpenCall = { stream, invocation, deadlineAt, isOver: false };
    this.#calls.set(stream, call);
    this.#host.onInvoke(invocation, this.#calls.size);
    if (random.chance(0.1)) this.#log(stream);
    const how = random.weighted(profile.call);
    watch.say(() => `${this.#host.id} runs ${invocation}: ${how}`);
    if (how === "never") return;
    if (how === "stream" || how === "endless") return this.#stream(call, how === "endless");
    const leftMs = deadlineAt - loop.now();
    const delays: Partial<Record<CallHow, number>> = {
      instant: 0,
      atDeadline: leftMs,
      late: leftMs + random.between(1, 400),
    };
    this.#later(delays[how] ?? random.between(0, Math.min(60, leftMs + 5)), () =>
      this.#finish(call, how),
    );
  }

  #finish(call: OpenCall, how: CallHow): void {
    if (call.isOver) return;
    if (how === "die") return this.#host.die(`during ${call.invocation}`);
    if (how === "breach") return this.#breach(call);
    if (how === "error") return this.#fail(call, "function_error");
    if (how === "oddError") return this.#fail(call, "nonsense");
    if (how === "wrongLength") return this.#answer(call, "200\ncontent-length\n7");
    this.#answer(call, "200\nx-sandbox\nyes");
    if (how === "talksOn") this.#later(this.#nature.random.between(0, 5), () => this.#talkOn(call));
  }

  #answer(call: OpenCall, head: string): void {
    this.#over(call);
    const isWhole = this.#nature.random.chance(0.5);
    const text = Buffer.from(head, "latin1");
    if (isWhole && !head.includes("content-length"))
      return this.#frame(Type.HEAD, Flag.END, call.stream, text);
    this.#frame(Type.HEAD, 0, call.stream, text);
    this.#frame(Type.BODY, Flag.END, call.stream, Buffer.from("ok"));
  }

  #stream(call: OpenCall, isEndless: boolean): void {
    const { random } = this.#nature;
    let left = isEndless ? Number.POSITIVE_INFINITY : random.between(1, 4);
    const stepMs = random.pick([1, 20, 400]);
    this.#frame(Type.HEAD, 0, call.stream, Buffer.from("200"));
    const next = () => {
      if (call.isOver) return;
      left -= 1;
      if (left <= 0) this.#over(call);
      this.#frame(Type.BODY, left <= 0 ? Flag.END : 0, call.stream, Buffer.from("piece"));
      if (left > 0) this.#later(stepMs, next);
    };
    this.#later(random.between(0, stepMs), next);
  }

  #cancel(stream: number): void {
    const call = this.#calls.get(stream);
    if (call === undefined) return;
    const { random, profile, watch } = this.#nature;
    const how: CancelHow = random.weighted(profile.cancel);
    watch.say(() => `${this.#host.id} hears that ${call.invocation} is cancelled: ${how}`);
    if (how === "ignore") return;
    this.#later(random.pick([0, 10, 250, 300]), () => {
      if (call.isOver) return;
      if (how === "die") this.#host.die(`as ${call.invocation} was cancelled`);
      else if (how === "obey") this.#fail(call, "cancelled");
      else {
        this.#over(call);
        this.#error(call.stream, "function_error");
      }
    });
  }

  #fail(call: OpenCall, code: string): void {
    this.#over(call);
    this.#error(call.stream, code);
  }

  #breach(call: OpenCall): void {
    const { random } = this.#nature;
    const kind = random.below(3);
    if (kind === 0) return this.#host.send(GARBAGE);
    if (kind === 1) return this.#frame(Type.BODY, 0, 9999, Buffer.from("whose?"));
    this.#frame(Type.HEAD, 0, call.stream, Buffer.from("200"));
    this.#frame(Type.HEAD, 0, call.stream, Buffer.from("200"));
  }

  /** Output after the end of the answer. */
  #talkOn(call: OpenCall): void {
    this.#frame(Type.BODY, Flag.END, call.stream, Buffer.from("and"));
  }

  #over(call: OpenCall): void {
    call.isOver = true;
    this.#calls.delete(call.stream);
  }

  #later(delayMs: number, run: () => void): void {
    this.#nature.loop.later(delayMs, () => {
      if (this.#host.isAlive) run();
    });
  }

  #log(stream: number): void {
    const text = Buffer.from("________a line");
    text.writeDoubleLE(this.#nature.loop.wall());
    this.#frame(Type.LOG, 0, stream, text);
  }

  #error(stream: number, code: string): void {
    this.#json(Type.ERROR, stream, { code, type: "Error", message: code, stack: "" });
  }

  #json(type: number, stream: number, value: unknown): void {
    this.#frame(type, 0, stream, Buffer.from(JSON.stringify(value)));
  }

  #frame(type: number, flags: number, stream: number, payload: Buffer): void {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(payload.length);
    header[4] = type;
    header[5] = flags;
    header.writeUInt32LE(stream, 8);
    this.#host.send(Buffer.concat([header, payload]));
  }
}
