import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Answer, eventually } from "../harness.ts";
import { RecoveringServer, type Version, codeOf } from "./recovering-server.ts";
import { assertNothingLeft, pidOf } from "./traces.ts";

const SPOOLED_BYTES = 9 * 1024 * 1024; // above what stays in memory
const fns = "/api/v1/functions";

/** A change, and what the function is when it was made after `latest` revisions. */
interface Change {
  name: string;
  make(server: RecoveringServer): Promise<Answer>;
  after(old: Version, latest: number): Version;
}

let turn = 0;

function update(padBytes = 0): Change {
  const tag = `code-${(turn += 1)}`;
  return {
    name: "kept",
    make: (server) => server.api("PUT", `${fns}/kept/code`, codeOf(tag, padBytes)),
    after: (old, latest) => ({ gen: old?.gen ?? "", revision: latest + 1, tag }),
  };
}

function settings(): Change {
  const gen = `gen-${(turn += 1)}`;
  return {
    name: "kept",
    make: (server) => server.api("PATCH", `${fns}/kept`, { env: { GEN: gen } }),
    after: (old, latest) => ({ tag: old?.tag ?? "", revision: latest + 1, gen }),
  };
}

function both(): Change {
  const gen = `gen-${(turn += 1)}`;
  const code = codeOf(gen);
  return {
    name: "kept",
    make: (server) => server.api("PATCH", `${fns}/kept`, { env: { GEN: gen }, code }),
    after: (_old, latest) => ({ tag: gen, revision: latest + 1, gen }),
  };
}

function rollback(): Change {
  return {
    name: "kept",
    make: (server) => server.api("POST", `${fns}/kept/rollback`, { revision: 1 }),
    after: () => ({ revision: 1, tag: "first", gen: "gen-0" }),
  };
}

function create(): Change {
  const name = `made-${(turn += 1)}`;
  const body = { name, runtime: "nodejs", env: { GEN: "gen-0" }, code: codeOf(name) };
  return {
    name,
    make: (server) => server.api("POST", fns, body),
    after: () => ({ revision: 1, tag: name, gen: "gen-0" }),
  };
}

function remove(): Change {
  return {
    name: "doomed",
    make: (server) => server.api("DELETE", `${fns}/doomed`),
    after: () => null,
  };
}

/** Where the process is killed, during which change, and on which side of it the function is found afterwards. */
const cases: [point: string, change: () => Change, side: "old" | "new"][] = [
  ["spool.named", () => update(SPOOLED_BYTES), "old"],
  ["artifact.written", update, "old"],
  ["artifact.renamed", update, "old"],
  ["deploy.before-commit", update, "old"],
  ["deploy.before-commit", rollback, "old"],
  ["deploy.inserted", create, "old"],
  ["deploy.inserted", settings, "old"],
  ["artifact.renamed", both, "old"],
  ["deploy.inserted", both, "old"],
  ["deploy.committed", both, "new"],
  ["deploy.committed", create, "new"],
  ["deploy.committed", update, "new"],
  ["deploy.committed", rollback, "new"],
  ["deploy.published", settings, "new"],
  ["apply.received", update, "new"],
  ["apply.applied", settings, "new"],
  ["delete.committed", remove, "new"],
  ["delete.published", remove, "new"],
];

/** The change fails, or is answered truly: then it is in force by now. */
async function attempt(server: RecoveringServer, change: Change): Promise<Answer | null> {
  return change.make(server).catch((error: unknown) => {
    assert.ok(error instanceof TypeError, String(error)); // the connection ended
    return null;
  });
}

/** Both sides of a change that has not begun. */
async function sidesOf(server: RecoveringServer, change: Change) {
  if (change.name === "doomed") await ensureDoomed(server);
  const old = await server.versionOf(change.name);
  const { json } = await server.api("GET", `${fns}/kept`);
  return { old, new: change.after(old, json.latestRevision) };
}

async function ensureDoomed(server: RecoveringServer): Promise<void> {
  if ((await server.api("GET", `${fns}/doomed`)).status === 404)
    await server.deploy("doomed", codeOf("doomed").files, { env: { GEN: "gen-0" } });
}

describe("a change during which the process is killed", () => {
  let server: RecoveringServer;

  before(async () => {
    server = new RecoveringServer({ ISOLA_BLANK_NODEJS: "1", ISOLA_BLANK_PYTHON: "0" });
    await server.begin();
    await server.deploy("kept", codeOf("first").files, { env: { GEN: "gen-0" } });
    await ensureDoomed(server);
    await server.killAll();
  });

  after(async () => {
    await server.begin();
    await server.stop();
    await assertNothingLeft(server);
    await server.dispose();
  });

  const isMade = { old: "not made", new: "made" };
  for (const [at, [point, make, side]] of cases.entries()) {
    const title = `at ${point} (${make.name || "update"}) is ${isMade[side]}`;
    test(`${title}, when its role is started again`, async (t) => {
      t.after(() => server.killAll());
      const change = make();
      await server.begin(`${point}=kill`);
      const sides = await sidesOf(server, change);
      const pids = [pidOf(server, "gateway"), pidOf(server, "control")];
      const answer = await attempt(server, change);
      await eventually("the end of the role", async () => {
        const now = [pidOf(server, "gateway"), pidOf(server, "control")];
        return now.every((pid) => pid !== 0) && now.some((pid) => !pids.includes(pid));
      });
      await server.ready();
      if (answer !== null) assert.ok(answer.status < 300, answer.text);
      assert.deepEqual(await server.versionOf(change.name), sides[side]);
      await server.assertTidy();
    });

    if (cases.findIndex(([same]) => same === point) !== at) continue;
    test(`${title}, when everything is killed there`, async (t) => {
      t.after(() => server.killAll());
      const change = make();
      await server.begin(`${point}=stop`);
      const sides = await sidesOf(server, change);
      const attempted = attempt(server, change);
      await server.stoppedPid();
      await server.killAll();
      assert.equal(await attempted, null);
      await server.begin();
      assert.deepEqual(await server.versionOf(change.name), sides[side]);
      await server.assertTidy();
    });
  }
});
