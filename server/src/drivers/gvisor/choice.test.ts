import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DriverCore, DriverProbe, SandboxHandle } from "../driver.ts";
import { type GvisorMode, GvisorDriver } from "./gvisor-driver.ts";

/** One way, which is there or not, and notes what it is asked. */
class Way implements DriverCore {
  readonly name = "gvisor";
  readonly asked: string[] = [];
  isAvailable: boolean;
  readonly #word: string;

  constructor(word: string, isAvailable: boolean) {
    this.#word = word;
    this.isAvailable = isAvailable;
  }

  async probe(): Promise<DriverProbe> {
    const { isAvailable } = this;
    const why = isAvailable ? [] : [`no ${this.#word}`];
    return {
      ...{ name: this.name, tier: "strong", protections: [], isAvailable },
      versions: { mode: this.#word },
      problems: why,
      fixes: why.map(() => `get ${this.#word}`),
    };
  }

  async start(): Promise<SandboxHandle> {
    this.asked.push("start");
    return {} as SandboxHandle;
  }

  async sweep() {
    this.asked.push("sweep");
    if (!this.isAvailable) throw new Error(`no ${this.#word}`);
    return { removed: [this.#word] };
  }

  async close() {
    this.asked.push("close");
  }
}

function stand(mode: GvisorMode, hasEngine: boolean, canAlone: boolean) {
  const [engine, alone] = [new Way("engine", hasEngine), new Way("standalone", canAlone)];
  return { engine, alone, driver: new GvisorDriver(mode, engine, alone) };
}

const start = (driver: DriverCore) =>
  driver.start({} as never, {} as never, new AbortController().signal);

describe("gVisor, which is run in two ways,", () => {
  const ways: [GvisorMode, boolean, boolean, "engine" | "standalone"][] = [
    ["auto", true, true, "engine"],
    ["auto", false, true, "standalone"],
    ["engine", false, true, "engine"],
    ["standalone", true, false, "standalone"],
  ];
  for (const [mode, hasEngine, canAlone, expected] of ways)
    test(`is run by the ${expected} way with ${mode}, engine ${hasEngine}, runsc ${canAlone}`, async () => {
      const { driver, engine, alone } = stand(mode, hasEngine, canAlone);
      assert.equal((await driver.probe()).versions.mode, expected);
      await start(driver);
      assert.deepEqual(engine.asked, expected === "engine" ? ["start"] : []);
      assert.deepEqual(alone.asked, expected === "engine" ? [] : ["start"]);
    });

  test("stays with the way that it has begun with when the other one comes", async () => {
    const { driver, engine, alone } = stand("auto", false, true);
    await driver.probe();
    engine.isAvailable = true;
    assert.equal((await driver.probe()).versions.mode, "standalone");
    await start(driver);
    assert.deepEqual(alone.asked, ["start"]);
  });

  test("says of both why it cannot be run, and what is easier first", async () => {
    const { driver } = stand("auto", false, false);
    const { isAvailable, problems, fixes } = await driver.probe();
    assert.equal(isAvailable, false);
    assert.deepEqual(problems, ["by an engine: no engine", "without one: no standalone"]);
    assert.deepEqual(fixes, ["get standalone", "get engine"]);
  });

  test("sweeps what either way has left, and needs no engine where none is used", async () => {
    const both = stand("auto", true, true);
    await both.driver.probe();
    assert.deepEqual((await both.driver.sweep()).removed, ["standalone", "engine"]);
    const one = stand("standalone", false, true);
    assert.deepEqual((await one.driver.sweep()).removed, ["standalone"]);
    await assert.rejects(stand("engine", false, true).driver.sweep(), /no engine/);
    await both.driver.close();
    for (const way of [both.engine, both.alone]) assert.equal(way.asked.at(-1), "close");
  });
});
