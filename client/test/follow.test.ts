import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { createClient } from "@isola/client";
import { TestServer, eventually } from "../../server/test/harness.ts";

/** What stands between a client and the API, and can break. */
async function startWire(target: string) {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {}); // the other end hears of it by its close
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    mend() {
      isCut = false;
    },
    close() {
      this.cut();
      server.close();
    },
  };
}

/** A `fetch` that tells when a tail is open: its second answer, behind that to where it begins. */
function watchOpening() {
  let asked = 0;
  let opened = () => {};
  const isOpen = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const watched: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    asked += 1;
    if (asked === 2) opened();
    return response;
  };
  return { isOpen, fetch: watched };
}

describe("a live tail", () => {
  const server = new TestServer();
  before(() => server.start());
  after(() => server.dispose());

  test("gives each line once, over a break of the connection, and ends with its loop", async (t) => {
    const code = "export const handler = (event) => console.log(event.rawPath)";
    await server.deploy("talker", { "index.mjs": code });
    const wire = await startWire(server.apiUrl);
    t.after(() => wire.close());
    const client = createClient({ url: wire.url, apiKey: server.adminKey });
    const direct = createClient({ url: server.apiUrl, apiKey: server.adminKey });
    await direct.call("talker", { path: "/before" });
    const lines = client.followLogs({ function: "talker" }, { lastEventId: "0" });
    const next = async () => (await lines.next()).value?.text;
    assert.equal(await next(), "/before");
    await direct.call("talker", { path: "/while-open" });
    assert.equal(await next(), "/while-open");
    const waiting = next();
    wire.cut();
    await direct.call("talker", { path: "/while-cut" });
    wire.mend();
    assert.equal(await waiting, "/while-cut");
    await direct.call("talker", { path: "/after" });
    assert.equal(await next(), "/after");
    await lines.return(undefined);
  });

  test("that nothing came of yet goes on where it began, when it breaks off", async (t) => {
    const code = "export const handler = (event) => console.log(event.rawPath)";
    await server.deploy("quiet", { "index.mjs": code });
    const wire = await startWire(server.apiUrl);
    t.after(() => wire.close());
    const { isOpen, fetch } = watchOpening();
    const client = createClient({ url: wire.url, apiKey: server.adminKey, fetch });
    const lines = client.followLogs({ function: "quiet" });
    const first = lines.next();
    await isOpen;
    await new Promise((resolve) => setImmediate(resolve)); // its answer is read
    wire.cut();
    const direct = createClient({ url: server.apiUrl, apiKey: server.adminKey });
    await direct.call("quiet", { path: "/while-cut" });
    wire.mend();
    assert.equal((await first).value?.text, "/while-cut");
    await lines.return(undefined);
  });

  test("of all projects begins behind what there is in all of them", async () => {
    const client = createClient({ url: server.apiUrl, apiKey: server.adminKey });
    await client.createProject({ name: "elsewhere" });
    const key = await client.createKey({ name: "early", scopes: ["read"], project: "elsewhere" });
    const wanted = { projects: "all", kind: ["key_created", "key_revoked"] } as const;
    const query = { ...wanted, kind: [...wanted.kind] };
    await eventually("the event of the key", async () => {
      const { items } = await client.listEvents(query);
      return items.some(({ fields }) => JSON.stringify(fields).includes(key.id));
    });
    const { isOpen, fetch } = watchOpening();
    const follower = createClient({ url: server.apiUrl, apiKey: server.adminKey, fetch });
    const events = follower.followEvents(query);
    const first = events.next();
    await isOpen;
    await client.revokeKey(key.id);
    assert.equal((await first).value?.kind, "key_revoked");
    await events.return(undefined);
  });

  test("rejects with what the server refuses, and with the reason of its signal", async () => {
    const stranger = createClient({ url: server.apiUrl });
    await assert.rejects(stranger.followLogs().next(), { code: "unauthenticated" });
    const client = createClient({ url: server.apiUrl, apiKey: server.adminKey });
    const giving = new AbortController();
    const events = client.followEvents({ function: "nobody" }, { signal: giving.signal });
    const waiting = events.next();
    setImmediate(() => giving.abort(new Error("enough")));
    await assert.rejects(waiting, /enough/);
  });
});
