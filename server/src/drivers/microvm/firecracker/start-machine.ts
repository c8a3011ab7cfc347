import { closeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { IsolaError, messageOf } from "../../../errors.ts";
import type { Machine, MachineSnapshot, MachineSpec } from "../vmm.ts";
import { ApiClient, type ApiCall, failed } from "./api-client.ts";
import { bootCalls, consoleCall, names, restoreCall, startCall } from "./boot-calls.ts";
import { FirecrackerMachine } from "./firecracker-machine.ts";
import type { FirecrackerPrograms } from "./find-firecracker.ts";
import { elfKernel } from "./kernel-image.ts";
import { type Place, closePlace, jailPlace, openPlace, provide, socketPath } from "./place.ts";
import { provideSnapshot } from "./snapshot-files.ts";
import { takesBzImage } from "./versions.ts";
import { vmmCommand, vmmId } from "./vmm-command.ts";
import { VmmProcess, describeEnd } from "./vmm-process.ts";
import { VsockEnds } from "./vsock-ends.ts";

const API_UP_MS_MAX = 30_000;
const API_STEP_MS = 2;
const CALL_MS_MAX = 10_000;
/** A kernel is read and unpacked, and drives are opened; of a restore, the memory is mapped. */
const START_MS_MAX = 20_000;
/** From the start of the processor to the guest's first connection. */
const AGENT_MS_MAX = 60_000;
const END_MS_MAX = 5000;

export interface StartContext {
  /** null: nobody has looked for them, or they do not do. */
  programs: FirecrackerPrograms | null;
  /** Kernels are kept in it in the form that an older Firecracker takes. */
  stateDir: string;
}

/** Boots a machine, or goes on with one from a snapshot. Rejects with `sandbox_start_failed`, and then no process of it is left and nobody listens. */
export async function startMachine(
  context: StartContext,
  spec: MachineSpec,
  snapshot: MachineSnapshot | null,
  signal: AbortSignal,
): Promise<Machine> {
  const { programs, stateDir } = context;
  if (programs === null) {
    for (const entry of spec.entries) closeSync(entry);
    throw new IsolaError("driver_unavailable", "Firecracker has not been found usable");
  }
  const start = new Start({ programs, stateDir }, spec, signal);
  try {
    return await start.run(snapshot);
  } catch (error) {
    throw await start.undo(error);
  }
}

type Usable = StartContext & { programs: FirecrackerPrograms };

/** One start: place, vsock, process, calls, and the guest's first word; or all of it undone. */
class Start {
  readonly #context: Usable;
  readonly #spec: MachineSpec;
  readonly #signal: AbortSignal;
  #place: Place | null = null;
  #vsock: VsockEnds | null = null;
  #vmm: VmmProcess | null = null;
  #hasLaunched = false;
  #api: ApiClient | null = null;

  constructor(context: Usable, spec: MachineSpec, signal: AbortSignal) {
    this.#context = context;
    this.#spec = spec;
    this.#signal = signal;
  }

  async run(snapshot: MachineSnapshot | null): Promise<Machine> {
    const { id, shape, ends, equipment } = this.#spec;
    const place = await this.#makePlace(snapshot);
    const vsock = await VsockEnds.open(place, id, ends, equipment?.socket ?? null);
    this.#vsock = vsock;
    this.#giveUpIf();
    const vmm = await this.#launch(place);
    const api = new ApiClient(socketPath(place, names.api));
    this.#api = api;
    await this.#whileAlive(vmm, this.#untilUp(api));
    if (snapshot === null) await this.#boot(vmm, api);
    else await this.#restore(vmm, api);
    const agent = await this.#whileAlive(vmm, this.#within(AGENT_MS_MAX, vsock.agent));
    return new FirecrackerMachine({
      ...{ id, vmm, api, place, shape, agent },
      close: () => this.#close(),
    });
  }

  /** Ends what has come to be; resolves with what the start is rejected with. */
  async undo(error: unknown): Promise<IsolaError> {
    const { id, entries } = this.#spec;
    if (!this.#hasLaunched) for (const entry of entries) closeSync(entry);
    const vmm = this.#vmm;
    let words = "";
    this.#vsock?.close();
    if (vmm !== null) {
      vmm.kill();
      const ended = await Promise.race([vmm.exited, delay(END_MS_MAX, null, { ref: false })]);
      words = lastWords(vmm.console(), ended?.text ?? "it was not seen to end");
    }
    this.#close();
    if (error instanceof IsolaError && error.code !== "sandbox_start_failed") return error;
    return failed(`the machine of ${id} did not start: ${messageOf(error)}${words}`, error);
  }

  /** What the host has open of it. */
  #close(): void {
    this.#vsock?.close();
    this.#api?.close();
    if (this.#place !== null) closePlace(this.#place);
    this.#place = null;
  }

  async #makePlace(snapshot: MachineSnapshot | null): Promise<Place> {
    const { programs, stateDir } = this.#context;
    const { id, folder, guest, shape, equipment } = this.#spec;
    const isJailed = programs.jailer !== null;
    const place = isJailed
      ? await jailPlace(folder, programs.executable, vmmId(id))
      : openPlace(folder);
    this.#place = place;
    if (snapshot === null) {
      const isTaken = takesBzImage(programs.version);
      const kernel = isTaken
        ? guest.kernel
        : await elfKernel(guest.kernel, join(stateDir, "kernels"));
      await provide(place, names.kernel, kernel);
      await provide(place, names.initramfs, guest.initramfs);
    } else await provideSnapshot(place, snapshot, shape);
    await provide(place, names.root, guest.root);
    if (equipment?.hasTools === true && guest.tools !== null)
      await provide(place, names.tools, guest.tools);
    return place;
  }

  async #launch({ folder, isJail }: Place): Promise<VmmProcess> {
    const { programs } = this.#context;
    const { entries, folder: base } = this.#spec;
    const command = vmmCommand(programs, this.#spec, base);
    // The jailer enters it by itself.
    const cwd = isJail ? "/" : folder;
    this.#hasLaunched = true;
    this.#vmm = await VmmProcess.start(command, { cwd, entries });
    return this.#vmm;
  }

  /** The socket is there some milliseconds after the start. */
  async #untilUp(api: ApiClient): Promise<void> {
    const deadline = AbortSignal.any([this.#signal, AbortSignal.timeout(API_UP_MS_MAX)]);
    for (;;) {
      try {
        const about = await api.call({ method: "GET", path: "/" }, CALL_MS_MAX, this.#signal);
        return this.#checkAnswer(about);
      } catch (error) {
        if (deadline.aborted || !isNotYetThere(error)) throw error;
        await delay(API_STEP_MS);
      }
    }
  }

  #checkAnswer(about: unknown): void {
    const { id, state } = about as { id?: unknown; state?: unknown };
    const expected = vmmId(this.#spec.id);
    if (id !== expected || state !== "Not started")
      throw failed(
        `Firecracker's socket says ${JSON.stringify(about).slice(0, 200)}, and ${expected}, "Not started" was expected`,
      );
  }

  async #boot(vmm: VmmProcess, api: ApiClient): Promise<void> {
    const { shape, equipment } = this.#spec;
    for (const call of bootCalls(shape, equipment)) await this.#ask(vmm, api, call, CALL_MS_MAX);
    await this.#ask(vmm, api, startCall, START_MS_MAX);
  }

  /** The console's limit is no part of a snapshot. */
  async #restore(vmm: VmmProcess, api: ApiClient): Promise<void> {
    await this.#ask(vmm, api, consoleCall, CALL_MS_MAX);
    await this.#ask(vmm, api, restoreCall, START_MS_MAX);
  }

  async #ask(vmm: VmmProcess, api: ApiClient, call: ApiCall, ms: number): Promise<void> {
    await this.#whileAlive(vmm, api.call(call, ms, this.#signal));
  }

  /** What a VMM that has ended does not do any more is not waited for. */
  async #whileAlive<T>(vmm: VmmProcess, work: Promise<T>): Promise<T> {
    const ended = vmm.exited.then((end): never => {
      throw failed(`Firecracker ended with ${describeEnd(end)}`);
    });
    return await Promise.race([work, ended]);
  }

  async #within<T>(ms: number, work: Promise<T>): Promise<T> {
    const enough = new AbortController();
    const signal = AbortSignal.any([enough.signal, this.#signal]);
    const late = delay(ms, undefined, { signal }).then(
      (): never => {
        throw failed(`the guest did not connect within ${ms} ms`);
      },
      (): never => {
        throw failed("it was given up");
      },
    );
    try {
      return await Promise.race([work, late]);
    } finally {
      late.catch(() => {}); // nobody waits any more
      enough.abort();
    }
  }

  #giveUpIf(): void {
    if (this.#signal.aborted) throw failed("it was given up");
  }
}

function isNotYetThere(error: unknown): boolean {
  const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
  return code === "ENOENT" || code === "ECONNREFUSED";
}

const WORDS_CHARS_MAX = 600;

function lastWords(console: string, words: string): string {
  const said = [
    ["Firecracker", words],
    ["the console", console],
  ].filter(([, text]) => text?.trim() !== "");
  return said
    .map(([who, text]) => `; ${who} said: ${text?.trim().slice(-WORDS_CHARS_MAX)}`)
    .join("");
}
