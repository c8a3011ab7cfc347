import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Driver, RuntimeSpec, SandboxLimits, SandboxSocket } from "../driver.ts";
import { codeOf } from "./code.ts";
import { type LeftOut, reasonToLeave } from "./left-out.ts";
import { HANG_MS, Session, destroyed } from "./session.ts";

export const caseGroups = ["life", "view", "escape", "limit", "exhaustion", "kill"] as const;
export type CaseGroup = (typeof caseGroups)[number];

/** What a driver brings to its conformance run. */
export interface ConformanceOptions {
  /** One life of the driver; lives with different boot ids belong to one node. */
  makeDriver(bootId: string): Driver;
  /** Starts, in another process, a life with this boot id and one sandbox that has stopped itself, prints a line, and waits to be killed. */
  startElsewhere: { script: string; args(bootId: string): string[] };
  runtimes: RuntimeSpec[];
  /** Sandboxes have a file system of their own, not one made of the host's. */
  hasOwnImage: boolean;
  /** How many times as long as elsewhere anything may take; left out: 1. */
  slowness?: number;
  /** Processes, cgroups and folders of the node that are there now, by name. */
  leftovers(): Promise<string[]>;
  /** Of a way of running the driver that differs from another in these alone; left out: all. */
  groups?: readonly CaseGroup[];
  /** Cases and parts of cases that this driver cannot pass, by their names, with the reason. What is left out is seen to be needed where that can be seen. */
  leavesOut: LeftOut;
}

/** Runs cases: each gets sessions that are destroyed after it. */
export class Stand {
  readonly options: ConformanceOptions;
  readonly driver: Driver;
  /** Of all cases. */
  readonly names = new Set<string>();

  constructor(options: ConformanceOptions) {
    this.options = options;
    this.driver = options.makeDriver("this");
  }

  runtime(family: "nodejs" | "python"): RuntimeSpec {
    const found = this.options.runtimes.find((runtime) => runtime.family === family);
    assert(found !== undefined, `no ${family} on this machine`);
    return found;
  }

  has(family: "nodejs" | "python"): boolean {
    return this.options.runtimes.some((runtime) => runtime.family === family);
  }

  /** Whether the driver leaves out a part of a case, by its name. */
  leaves(part: string): boolean {
    this.names.add(part);
    return reasonToLeave(this.options.leavesOut, part) !== undefined;
  }

  /** A case; `name` is the word by which a driver may leave it out, and then it is no test of this driver. */
  case(name: string, title: string, run: (room: Room, t: TestContext) => Promise<void>): void {
    this.names.add(name);
    if (reasonToLeave(this.options.leavesOut, name) !== undefined) return;
    test(title, { timeout: 2 * HANG_MS }, async (t) => {
      const room = new Room(this);
      try {
        await run(room, t);
      } finally {
        await room.clear();
      }
    });
  }
}

/** What one case has started. */
export class Room {
  readonly stand: Stand;
  readonly #sessions: Session[] = [];

  constructor(stand: Stand) {
    this.stand = stand;
  }

  get driver(): Driver {
    return this.stand.driver;
  }

  /** A sandbox without code. */
  async blank(
    family: "nodejs" | "python" = "nodejs",
    limits?: SandboxLimits,
    driver: Driver = this.driver,
  ): Promise<Session> {
    const session = await Session.start(driver, this.stand.runtime(family), limits);
    this.#sessions.push(session);
    return session;
  }

  /** A sandbox with the code of `code.ts`. */
  async ready(
    family: "nodejs" | "python" = "nodejs",
    limits?: SandboxLimits,
    driver?: Driver,
  ): Promise<Session> {
    const session = await this.blank(family, limits, driver);
    await session.init(codeOf[family].files, codeOf[family].handler);
    return session;
  }

  /** A blank Node.js sandbox with sockets of the platform. */
  async withSockets(sockets: SandboxSocket[]): Promise<Session> {
    const runtime = this.stand.runtime("nodejs");
    const session = await Session.start(this.driver, runtime, undefined, {
      equipment: { hasTools: false, sockets },
    });
    this.#sessions.push(session);
    return session;
  }

  async clear(): Promise<void> {
    await Promise.all(this.#sessions.map(destroyed));
  }
}
