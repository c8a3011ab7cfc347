import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { TestServer, eventually } from "../harness.ts";
import { sandboxPids } from "../recovery/traces.ts";
import { enforcerCases } from "./enforcer-cases.ts";
import { endingCases } from "./ending-cases.ts";
import { runCases } from "./run-cases.ts";
import { streamCases } from "./stream-cases.ts";

/** A server whose functions run on one driver, and what its deadlines promise. */
export interface DeadlineStand {
  readonly driver: string;
  readonly server: TestServer;
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
  /** Processes of sandboxes of this server that are there now, whoever knows of them. */
  living(): number[];
}

/**
 * docs/timeouts.md as a suite that every driver runs with a whole server: what runs too long is answered in time, killed as a whole, seen to be gone, and replaced.
 */
export function deadlineSuite(driver: string, skip: string | false = false): void {
  describe(`deadlines on the driver ${driver}`, { skip }, () => {
    const stand = new Stand(driver);
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
  readonly server = new TestServer({ ISOLA_BLANK_NODEJS: "0", ISOLA_BLANK_PYTHON: "0" });

  constructor(driver: string) {
    this.driver = driver;
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

  living(): number[] {
    return sandboxPids(this.server);
  }
}
