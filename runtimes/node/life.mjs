import { Flag, FrameError, Type } from "../../protocol/src/frames.mjs";
import { ArchiveUnpacker } from "./archive.mjs";
import { defineAwslambda } from "./awslambda.mjs";
import { applyEnvironment, clearEnvironment, readInit } from "./environment.mjs";
import { failurePayload } from "./failure.mjs";
import { installFatal } from "./fatal.mjs";
import { Invocations } from "./invocations.mjs";
import { kindOf } from "./kinds.mjs";
import { LoadError, loadFunction } from "./load.mjs";
import { Logs } from "./logs.mjs";
import { warmUp, warmWhole } from "./warm.mjs";

/** @typedef {"blank" | "unpacking" | "loading" | "ready" | "failed" | "draining"} LifeState */

/** @type {Record<LifeState, readonly LifeState[]>} */
const moves = {
  blank: ["unpacking", "draining"],
  unpacking: ["loading", "failed", "draining"],
  loading: ["ready", "failed", "draining"],
  ready: ["draining"],
  failed: ["draining"],
  draining: [],
};

/** From the first frame of the host to the end: blank -> unpacking -> loading -> ready -> draining; failed when the code cannot be had. */
class Life {
  /** @type {LifeState} */
  state = "blank";
  #session;
  #logs;
  /** @type {import("./environment.mjs").Init | null} */
  #init = null;
  /** @type {ArchiveUnpacker | null} */
  #archive = null;
  /** @type {Invocations | null} */
  #invocations = null;

  /** @param {import("./session.mjs").Session} session @param {Logs} logs */
  constructor(session, logs) {
    this.#session = session;
    this.#logs = logs;
  }

  /** @param {number} type @param {number} flags @param {number} stream @param {Buffer} buffer @param {number} start @param {number} end */
  onFrame(type, flags, stream, buffer, start, end) {
    if (type === Type.INVOKE && this.state === "ready" && this.#invocations !== null)
      return this.#invocations.onInvoke(flags, stream, buffer, start, end);
    const payload = buffer.subarray(start, end);
    if (type === Type.PING) return this.#pong(payload);
    if (type === Type.SHUTDOWN) return this.#shutDown(payload.readUInt32LE());
    if (type === Type.INIT) return this.#onInit(payload);
    if (type === Type.CODE) return this.#onCode(payload, (flags & Flag.END) !== 0);
    if (type === Type.INVOKE || this.#invocations === null)
      throw new FrameError(`frame type ${type} while the sandbox is ${this.state}`);
    this.#invocations.onStreamFrame(type, flags, stream, payload);
  }

  /** @param {LifeState} next */
  #move(next) {
    if (!moves[this.state].includes(next)) throw new Error(`${this.state} cannot become ${next}`);
    this.state = next;
  }

  /** @param {Buffer} payload */
  #onInit(payload) {
    if (this.#init !== null || this.state !== "blank") throw new FrameError("INIT comes once");
    const init = readInit(payload);
    if (typeof init === "string") throw new FrameError(init);
    this.#init = init;
    this.#logs.lineBytesMax = init.logLineBytesMax;
    this.#move("unpacking");
    this.#attempt(() => {
      this.#archive = new ArchiveUnpacker(init.taskRoot);
      applyEnvironment(init);
    });
  }

  /** @param {Buffer} payload @param {boolean} isEnd */
  #onCode(payload, isEnd) {
    // After a failure the rest of the code is still on its way.
    if (this.state === "failed") return;
    if (this.state !== "unpacking") throw new FrameError(`CODE while the sandbox is ${this.state}`);
    this.#attempt(() => {
      this.#archive?.push(payload);
      if (!isEnd) return;
      this.#archive?.finish();
      this.#move("loading");
      void this.#load();
    });
  }

  /** A full disk and the like end the init, not the process; a malformed archive is a breach. @param {() => void} step */
  #attempt(step) {
    try {
      step();
    } catch (error) {
      if (error instanceof FrameError) throw error;
      this.#fail(error, "cannot unpack the code: ");
    }
  }

  async #load() {
    const init = /** @type {import("./environment.mjs").Init} */ (this.#init);
    try {
      const files = this.#archive?.files ?? [];
      if (init.debug !== undefined) (await import("./debugger.mjs")).openDebugger(init.debug);
      const loaded = await loadFunction(init.taskRoot, init.handler, files);
      const kind = await kindOf(loaded, init, this.#logs);
      if (this.state !== "loading") return;
      const { writer } = this.#session;
      this.#invocations = new Invocations(writer, this.#logs, kind, init.concurrency);
      this.#move("ready");
      writer.json(Type.READY, 0, { kind: kind.name, buffered: kind.buffered });
      writer.flush();
    } catch (error) {
      if (!(error instanceof LoadError) || error.cause === undefined) return this.#fail(error, "");
      this.#fail(error.cause, `${error.message}: `);
    }
  }

  /** @param {unknown} error @param {string} prefix */
  #fail(error, prefix) {
    if (this.state === "draining") return;
    this.#move("failed");
    const payload = failurePayload("init_failed", error, prefix);
    this.#session.writer.frame(Type.ERROR, 0, 0, payload);
  }

  /** @param {Buffer} payload */
  #pong(payload) {
    const { user, system } = process.cpuUsage();
    const pong = Buffer.alloc(32);
    pong.set(payload);
    pong.writeDoubleLE(user + system, 8);
    pong.writeDoubleLE(process.memoryUsage.rss(), 16);
    pong.writeDoubleLE(this.#invocations?.open.size ?? 0, 24);
    this.#session.writer.frame(Type.PONG, 0, 0, pong);
  }

  /**
   * Lets open invocations finish, then runs the listeners of SIGTERM (which is how Lambda tells code to shut down) and ends when nothing
   * is left to do, all within the grace.
   * @param {number} graceMs
   */
  #shutDown(graceMs) {
    if (this.state === "draining") throw new FrameError("SHUTDOWN comes once");
    this.#move("draining");
    setTimeout(() => process.exit(0), graceMs).unref();
    const finish = () => {
      if (process.listenerCount("SIGTERM") === 0) process.exit(0);
      process.on("beforeExit", () => process.exit(0));
      process.emit("SIGTERM", "SIGTERM");
      this.#session.writer.flush();
      this.#session.control.release();
    };
    if (this.#invocations === null || this.#invocations.open.size === 0) return finish();
    this.#invocations.onIdle = finish;
  }
}

/** Takes over from `main.mjs`, once HELLO has been sent. @param {import("./session.mjs").Session} session */
export function startLife(session) {
  const { life, logs } = begin(session);
  warmUp(() => life.state === "blank", logs);
}

/** The same before HELLO: resolves once everything is loaded, and nothing is under way any more. @param {import("./session.mjs").Session} session */
export async function startLifeWhole(session) {
  await warmWhole(begin(session).logs);
}

/** @param {import("./session.mjs").Session} session */
function begin(session) {
  clearEnvironment();
  defineAwslambda();
  const logs = new Logs(session);
  logs.install();
  const life = new Life(session, logs);
  installFatal(session, logs, () => life.state === "loading");
  session.read((type, flags, stream, buffer, start, end) =>
    life.onFrame(type, flags, stream, buffer, start, end),
  );
  return { life, logs };
}
