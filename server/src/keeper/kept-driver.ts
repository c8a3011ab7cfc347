import { setTimeout as delay } from "node:timers/promises";
import type { DriverName } from "../domain/function.ts";
import { GrowingPauses } from "../domain/growing-pauses.ts";
import type {
  DestroyReason,
  DestroyReport,
  Driver,
  DriverProbe,
  Sandbox,
  SandboxExit,
  SandboxLimits,
  SandboxSpec,
  SandboxUsage,
  StartedFrom,
  SweepReport,
} from "../drivers/driver.ts";
import { IsolaError } from "../errors.ts";
import type { KeeperLink } from "./keeper-link.ts";
import { type SandboxStreams, type StreamListener, notTaken } from "./streams.ts";

/** Output that someone reads comes to its own end, as nothing of the sandbox holds the other side any more; what was not found does not keep it open. */
const OUTPUT_END_MS = 1000;
const RESWEEP_PAUSES = { leastMs: 200, mostMs: 10_000 };

/** A driver whose core runs in the keeper, and whose streams end here. */
export class KeptDriver implements Driver {
  readonly name: DriverName;
  readonly #keeper: KeeperLink;
  readonly #streams: StreamListener;
  readonly #sandboxes = new Set<KeptSandbox>();

  constructor(name: DriverName, keeper: KeeperLink, streams: StreamListener) {
    this.name = name;
    this.#keeper = keeper;
    this.#streams = streams;
  }

  probe(): Promise<DriverProbe> {
    return this.#keeper.call(this.name, "probe", null);
  }

  async start(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox> {
    const arriving = this.#streams.expect(spec.id);
    const exited = this.#keeper.exitOf(spec.id);
    const onAbort = () => arriving.giveUp();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const start = this.#keeper.call(this.name, "start", { spec }, signal);
      const sandbox = new KeptSandbox(this.name, this.#keeper, {
        ...{ id: spec.id, exited },
        ...(await start),
      });
      this.#sandboxes.add(sandbox);
      void sandbox.gone.then(() => this.#sandboxes.delete(sandbox));
      try {
        sandbox.connect(await Promise.race([arriving.streams, endOf(exited)]));
      } catch (error) {
        await sandbox.destroy("start_failed");
        throw error;
      }
      return sandbox;
    } catch (error) {
      arriving.giveUp();
      this.#keeper.forget(spec.id);
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** What an earlier keeper held is gone once a sweep has been through. */
  async sweep(): Promise<SweepReport> {
    const lost = [...this.#sandboxes].filter((sandbox) => sandbox.isLost);
    const report = await this.#keeper.call(this.name, "sweep", null);
    for (const sandbox of lost) sandbox.end();
    return report;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sandboxes].map((sandbox) => sandbox.destroy("shutdown")));
  }

  /** The keeper died with everything it kept: once its successor has swept, nothing of it is left. Tried until that is so. */
  async onKeeperLost(): Promise<void> {
    for (const sandbox of this.#sandboxes) sandbox.lose();
    const pauses = new GrowingPauses(RESWEEP_PAUSES);
    while (this.#hasLost) {
      try {
        await this.sweep();
      } catch {
        // That keeper has ended too, or its engine is away: `destroy` is not confirmed until then.
        await delay(pauses.next(), undefined, { ref: false });
      }
    }
  }

  get #hasLost(): boolean {
    return [...this.#sandboxes].some((sandbox) => sandbox.isLost);
  }
}

/** Rejects when the sandbox has ended: streams that have not arrived by then never will. */
async function endOf(exited: Promise<SandboxExit>): Promise<never> {
  await exited;
  throw notTaken("it ended without them");
}

/** Life: connected -> ended (`exited`) -> gone (the keeper has confirmed that nothing of it runs). */
class KeptSandbox implements Sandbox {
  readonly id: string;
  readonly taskRoot: string;
  readonly startedFrom: StartedFrom;
  readonly exited: Promise<SandboxExit>;
  readonly gone: Promise<void>;
  readonly #driver: DriverName;
  readonly #keeper: KeeperLink;
  readonly #gone = Promise.withResolvers<void>();
  #streams: SandboxStreams | null = null;
  #isGone = false;
  #isLost = false;

  constructor(
    driver: DriverName,
    keeper: KeeperLink,
    given: Pick<KeptSandbox, "id" | "taskRoot" | "startedFrom" | "exited">,
  ) {
    this.#driver = driver;
    this.#keeper = keeper;
    this.id = given.id;
    this.taskRoot = given.taskRoot;
    this.startedFrom = given.startedFrom;
    this.exited = given.exited;
    this.gone = this.#gone.promise;
  }

  connect(streams: SandboxStreams): void {
    this.#streams = streams;
  }

  get control() {
    return (this.#streams as SandboxStreams).control;
  }

  get stdout() {
    return (this.#streams as SandboxStreams).stdout;
  }

  get stderr() {
    return (this.#streams as SandboxStreams).stderr;
  }

  async applyLimits(limits: SandboxLimits): Promise<void> {
    await this.#keeper.call(this.#driver, "applyLimits", { id: this.id, limits });
  }

  usage(): Promise<SandboxUsage> {
    return this.#keeper.call(this.#driver, "usage", { id: this.id });
  }

  freeze(): Promise<boolean> {
    return this.#keeper.call(this.#driver, "freeze", { id: this.id });
  }

  async thaw(): Promise<void> {
    await this.#keeper.call(this.#driver, "thaw", { id: this.id });
  }

  async destroy(reason: DestroyReason): Promise<DestroyReport> {
    const startedAt = performance.now();
    const report = await this.#destroy(reason);
    this.#closeStreams();
    return { ...report, tookMs: performance.now() - startedAt };
  }

  /** Its keeper has died, and nobody has seen the end of it. */
  get isLost(): boolean {
    return this.#isLost && !this.#isGone;
  }

  lose(): void {
    this.#isLost = true;
  }

  /** Nothing of it runs any more. */
  end(): void {
    this.#isGone = true;
    this.#gone.resolve();
  }

  async #destroy(reason: DestroyReason): Promise<DestroyReport> {
    if (this.isLost) await this.gone;
    if (this.#isGone) return { isConfirmed: true, tookMs: 0 };
    try {
      const report = await this.#keeper.call(this.#driver, "destroy", { id: this.id, reason });
      if (report.isConfirmed) this.end();
      return report;
    } catch (error) {
      // The keeper has died in the middle of it; another one sweeps.
      if (!(error instanceof IsolaError)) throw error;
      await this.gone;
      return { isConfirmed: true, tookMs: 0 };
    }
  }

  #closeStreams(): void {
    if (this.#streams === null) return;
    const { control, stdout, stderr } = this.#streams;
    control.destroy();
    for (const stream of [stdout, stderr]) {
      if (stream.readableFlowing !== true) stream.destroy();
      if (stream.destroyed) continue;
      const timer = setTimeout(() => stream.destroy(), OUTPUT_END_MS);
      stream.once("close", () => clearTimeout(timer));
    }
  }
}
