import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { TestServer, allowSlowness, eventually } from "../harness.ts";
import { tracesOf } from "../../src/drivers/docker/testing/docker-stand.ts";
import { nodeIdOf, sandboxPids } from "../recovery/traces.ts";
import { enforcerCases } from "./enforcer-cases.ts";
import { endingCases } from "./ending-cases.ts";
import { runCases } from "./run-cases.ts";
import { streamCases } from "./stream-cases.ts";

/** A server whose functions run on one driver, and what its deadlines promise. */
export interface DeadlineStand {
  readonly driver: string;
  readonly server: TestServer;
  /** How often four calls are repeated whose sandboxes may all have to be started: fewer where a start takes long. */
  readonly turns: number;
  /** How many times as long as elsewhere anything may take; limits and pauses of cases are as many times as long. */
  readonly slowness: number;
  /** A case of the suite, unless this run of it has others. */
  case(title: string, run: () => Promise<void>): void;
  /** Deploys on the driver. */
  deploy(
    name: string,
    files: Record<string, string>,
    settings?: Record<string, unknown>,
  ): Promise<void>;
  /** The record of a call, once it is kept. */
  recordOf(requestId: string | null): Promise<any>;
  logsOf(name: string): Promise<string[]>;
  removeFunctions(): Promise<void>;
  /** By state, of the function's living sandboxes. */
  sandboxes(name: string): Promise<Record<string, number>>;
  /** Processes of sandboxes of this server that are there now, whoever knows of them; with an engine elsewhere, the containers that run. */
  living(): Promise<string[]>;
}

export interface DeadlineSuiteOptions {
  skip?: string | false;
  /** Where the engine is; left out: as in the environment. */
  elsewhere?: string;
  /** Settings of the server, and what of the title they make. */
  env?: Record<string, string> | undefined;
  way?: string;
  /** As of the stand; left out: 1. */
  slowness?: number;
  turns?: number;
  /** Parts of the titles of the cases that are run; left out: all. */
  chosen?: readonly string[];
  /** Settings of all functions. */
  settings?: Record<string, unknown>;
  /** Before the server starts on that folder, and once it runs. */
  prepare?(dataDir: string): void;
  warmUp?(stand: DeadlineStand): Promise<void>;
}

/**
 * docs/timeouts.md as a suite that every driver runs with a whole server: what runs too long is answered in time, killed as a whole, seen to be gone, and replaced.
 */
export function deadlineSuite(driver: string, options: DeadlineSuiteOptions = {}): void {
  const { skip = false, elsewhere, way = "", slowness = 1, chosen } = options;
  allowSlowness(slowness);
  const where = elsewhere === undefined ? way : " on another machine";
  describe(`deadlines on the driver ${driver}${where}`, { skip }, () => {
    const stand = new Stand(driver, options);
    before(async () => {
      options.prepare?.(stand.server.dataDir);
      await stand.server.start();
      await options.warmUp?.(stand);
    });
    after(() => stand.server.dispose());
    // Where sandboxes are large, those of a case that is over make room.
    if (slowness > 1) afterEach(() => stand.removeFunctions());
    runCases(stand);
    streamCases(stand);
    endingCases(stand);
    enforcerCases(stand);
    if (chosen !== undefined)
      test("every case that is chosen exists", () => assert.deepEqual(stand.missing(chosen), []));
  });
}

class Stand implements DeadlineStand {
  readonly driver: string;
  readonly turns: number;
  readonly slowness: number;
  readonly server: TestServer;
  readonly #options: DeadlineSuiteOptions;
  readonly #titles: string[] = [];

  constructor(driver: string, options: DeadlineSuiteOptions) {
    const { elsewhere, env, slowness = 1, turns } = options;
    this.driver = driver;
    this.#options = options;
    this.slowness = slowness;
    this.server = new TestServer({
      ...{ ISOLA_BLANK_NODEJS: "0", ISOLA_BLANK_PYTHON: "0" },
      ...(elsewhere !== undefined && { DOCKER_HOST: elsewhere }),
      ...env,
    });
    this.turns = turns ?? 25;
  }

  case(title: string, run: () => Promise<void>): void {
    this.#titles.push(title);
    const { chosen } = this.#options;
    if (chosen === undefined || chosen.some((part) => title.includes(part))) test(title, run);
  }

  /** Parts that are in no title. */
  missing(chosen: readonly string[]): string[] {
    return chosen.filter((part) => !this.#titles.some((title) => title.includes(part)));
  }

  async removeFunctions(): Promise<void> {
    const { json } = await this.server.api("GET", "/api/v1/functions?limit=200");
    for (const { name } of json.items) await this.server.api("DELETE", `/api/v1/functions/${name}`);
  }

  async deploy(name: string, files: Record<string, string>, settings = {}): Promise<void> {
    const { settings: common } = this.#options;
    await this.server.deploy(name, files, { driver: this.driver, ...common, ...settings });
  }

  async recordOf(requestId: string | null): Promise<any> {
    assert.notEqual(requestId, null);
    return await eventually(`the record of ${requestId}`, async () => {
      const answer = await this.server.api("GET", `/api/v1/invocations/${requestId}`);
      return answer.status === 200 ? answer.json : null;
    });
  }

  async logsOf(name: string): Promise<string[]> {
    const { json } = await this.server.api("GET", `/api/v1/functions/${name}/logs?limit=200`);
    return json.items.map((line: { text: string }) => line.text);
  }

  async sandboxes(name: string): Promise<Record<string, number>> {
    const { json } = await this.server.api("GET", "/api/v1/system");
    const pools = json.gateway.pools.filter((pool: any) => pool.functionName === name);
    const all: Record<string, number> = {};
    for (const pool of pools)
      for (const [state, count] of Object.entries(pool.sandboxes))
        all[state] = (all[state] ?? 0) + (count as number);
    return all;
  }

  async living(): Promise<string[]> {
    if (this.#options.elsewhere === undefined) return sandboxPids(this.server).map(String);
    const traces = await tracesOf(nodeIdOf(this.server));
    return traces.filter((each) => each.startsWith("process"));
  }
}
