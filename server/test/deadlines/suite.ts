import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { TestServer, eventually } from "../harness.ts";
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
  /** Deploys on the driver. */
  deploy(
    name: string,
    files: Record<string, string>,
    settings?: Record<string, unknown>,
  ): Promise<void>;
  /** The record of a call, once it is kept. */
  recordOf(requestId: string | null): Promise<any>;
  logsOf(name: string): Promise<string[]>;
  /** By state, of the function's living sandboxes. */
  sandboxes(name: string): Promise<Record<string, number>>;
  /** Processes of sandboxes of this server that are there now, whoever knows of them; with an engine elsewhere, the containers that run. */
  living(): Promise<string[]>;
}

interface DeadlineOptions {
  skip?: string | false;
  /** Where the engine is; left out: as in the environment. */
  elsewhere?: string | undefined;
  /** Settings of the server, and what of the title they make. */
  env?: Record<string, string> | undefined;
  way?: string;
}

/**
 * docs/timeouts.md as a suite that every driver runs with a whole server: what runs too long is answered in time, killed as a whole, seen to be gone, and replaced.
 */
export function deadlineSuite(
  driver: string,
  { skip = false, elsewhere, env, way = "" }: DeadlineOptions = {},
): void {
  const where = elsewhere === undefined ? way : " on another machine";
  describe(`deadlines on the driver ${driver}${where}`, { skip }, () => {
    const stand = new Stand(driver, { elsewhere, env });
    before(() => stand.server.start());
    after(() => stand.server.dispose());
    runCases(stand);
    streamCases(stand);
    endingCases(stand);
    enforcerCases(stand);
  });
}

class Stand implements DeadlineStand {
  readonly driver: string;
  readonly turns: number;
  readonly server: TestServer;
  readonly #isElsewhere: boolean;

  constructor(driver: string, { elsewhere, env }: DeadlineOptions) {
    this.driver = driver;
    this.#isElsewhere = elsewhere !== undefined;
    this.server = new TestServer({
      ...{ ISOLA_BLANK_NODEJS: "0", ISOLA_BLANK_PYTHON: "0" },
      ...(elsewhere !== undefined && { DOCKER_HOST: elsewhere }),
      ...env,
    });
    this.turns = elsewhere !== undefined ? 5 : driver === "gvisor" ? 10 : 25;
  }

  async deploy(name: string, files: Record<string, string>, settings = {}): Promise<void> {
    await this.server.deploy(name, files, { driver: this.driver, ...settings });
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
    if (!this.#isElsewhere) return sandboxPids(this.server).map(String);
    const traces = await tracesOf(nodeIdOf(this.server));
    return traces.filter((each) => each.startsWith("process"));
  }
}
