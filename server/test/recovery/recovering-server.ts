import assert from "node:assert/strict";
import { type Answer, TestServer, eventually } from "../harness.ts";
import { artifactsOn, cgroupsOf, nodeIdOf, serverPids, stateOf, strayFiles } from "./traces.ts";

/** Revision, code and settings of a function as one: what must never be mixed. null: there is no such function. */
export type Version = { revision: number; tag: string; gen: string } | null;

/** A handler that says which code it is, which settings it has, and which revision it was told to be. */
export function codeOf(tag: string, padBytes = 0): { files: Record<string, string> } {
  const index = `export const handler = async (event, context) => ({ statusCode: 200, body: JSON.stringify({
  revision: Number(context.functionVersion), tag: ${JSON.stringify(tag)}, gen: process.env.GEN }) });`;
  return {
    files: { "index.mjs": index, ...(padBytes > 0 && { "pad.txt": tag.padEnd(padBytes, ".") }) },
  };
}

/** A server that is killed and started again on one data folder. */
export class RecoveringServer extends TestServer {
  /** Starts with `points` armed in the first life of each role. */
  async begin(points = ""): Promise<void> {
    const old = cgroupsOf(`isola.${nodeIdOf(this)}.`);
    await this.start({ ISOLA_FAIL_POINTS: points });
    if (points !== "")
      assert.match(this.log, /"role":"control","msg":"THIS PROCESS IS MADE TO FAIL/);
    await this.ready();
    await eventually("the end of earlier sandboxes", async () => {
      const now = new Set(cgroupsOf(`isola.${nodeIdOf(this)}.`));
      return old.every((path) => !now.has(path));
    });
  }

  /** Both roles work, after a restart of either. */
  async ready(): Promise<void> {
    const isOk = ({ status }: Answer) => status === 200;
    const no = () => false;
    await eventually("readiness", () => this.api("GET", "/readyz").then(isOk, no));
    await eventually("a link that works", async () => {
      const { json } = await this.api("GET", "/api/v1/system");
      return json?.gateway !== null;
    });
    await eventually("a gateway with its functions", () =>
      this.call("/no-such-function").then(({ status }) => status === 404, no),
    );
  }

  /** SIGKILL to the supervisor, then to everything else that is the server's. */
  async killAll(): Promise<void> {
    const stopped = this.stop("SIGKILL");
    for (const pid of serverPids(this)) process.kill(pid, "SIGKILL");
    await stopped;
    await eventually("the end of the processes", async () => serverPids(this).length === 0);
  }

  /** Resolves with the process that has stopped itself at a fail point. */
  stoppedPid(): Promise<number> {
    return eventually("a process that stops itself", async () =>
      serverPids(this).find((pid) => stateOf(pid) === "T"),
    );
  }

  /** What the API says and what callers get, which have to be the same. */
  async versionOf(name: string): Promise<Version> {
    const [told, got] = [
      await this.api("GET", `/api/v1/functions/${name}`),
      await this.call(`/${name}`),
    ];
    if (told.status === 404) {
      assert.equal(got.status, 404, `${name} is not there, yet it answers: ${got.text}`);
      return null;
    }
    assert.equal(got.status, 200, got.text);
    const version = got.json as Version & object;
    assert.equal(version.revision, told.json.liveRevision, "gateway and store differ");
    assert.equal(version.gen, told.json.env.GEN, "settings of another revision");
    return version;
  }

  /** Every artifact has a revision, every revision its artifact, and no file is there that should not be. */
  async assertTidy(): Promise<void> {
    const { json } = await this.api("GET", "/api/v1/functions?limit=100");
    const system = await this.api("GET", "/api/v1/system");
    assert.equal(system.json.gateway.functions, json.items.length, "functions in the table");
    const digests = new Set<string>();
    for (const { name } of json.items)
      for (let cursor: string | null = ""; cursor !== null; ) {
        const query = `limit=100${cursor && `&cursor=${cursor}`}`;
        const revisions = await this.api("GET", `/api/v1/functions/${name}/revisions?${query}`);
        for (const { codeDigest } of revisions.json.items) digests.add(codeDigest);
        cursor = revisions.json.nextCursor;
      }
    assert.deepEqual(artifactsOn(this), [...digests].toSorted(), "artifacts on the disk");
    assert.deepEqual(strayFiles(this), []);
  }
}
