import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { dockerSettings } from "../testing/docker-settings.ts";
import { codeOf } from "../conformance/code.ts";
import { Session, destroyed } from "../conformance/session.ts";
import type { RuntimeSpec } from "../driver.ts";
import { findRuntimes } from "../runtimes.ts";
import { labels } from "./container-options.ts";
import { containers, newNodeId, skipDocker, tracesOf } from "./testing/docker-stand.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const runtimes = await findRuntimes({ root, python: null });
const node = runtimes.find(({ family }) => family === "nodejs") as RuntimeSpec;

/** A listening port of this machine. */
async function listen(t: TestContext): Promise<number> {
  const server = createServer((socket) => socket.end("hello"));
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", () => resolve()));
  return (server.address() as AddressInfo).port;
}

async function driverOf(t: TestContext, egressAllowed: string[]) {
  const stateDir = mkdtempSync(join(tmpdir(), "isola-docker-egress-"));
  const nodeId = newNodeId();
  const settings = { ...dockerSettings, nodeId, stateDir, acceptNoIsolation: false, egressAllowed };
  const driver = lazyDriver("docker", settings, "this");
  t.after(async () => {
    await driver.close();
    assert.deepEqual(await tracesOf(nodeId), []);
    assert.deepEqual(await networksOf(nodeId), []);
    rmSync(stateDir, { recursive: true });
  });
  const open = async (egressOf?: string) => {
    const session = await Session.start(
      driver,
      node,
      undefined,
      egressOf === undefined ? {} : { egressOf },
    );
    await session.init(codeOf.nodejs.files, codeOf.nodejs.handler);
    return session;
  };
  return { nodeId, open };
}

async function networksOf(nodeId: string): Promise<string[]> {
  const engine = await containers.engine();
  const filters = { label: [`${labels.node}=${nodeId}`] };
  return (await engine.docker.listNetworks({ filters })).map(({ Name }) => Name);
}

/** This machine's addresses, as a container may know them; of an engine with a network of its own also the way out of that. */
async function hostAddresses(nodeId: string): Promise<string[]> {
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const addresses = own.filter(({ family }) => family === "IPv4").map(({ address }) => address);
  const engine = await containers.engine();
  const gateways: string[] = [];
  for (const name of await networksOf(nodeId)) {
    const { IPAM } = await engine.docker.getNetwork(name).inspect();
    for (const { Gateway } of IPAM?.Config ?? []) if (Gateway) gateways.push(Gateway);
  }
  return [...addresses, ...gateways, "10.0.2.2", "10.0.2.3", "169.254.169.254"];
}

describe("a sandbox with a way to the internet", { skip: skipDocker }, () => {
  test("reaches neither this machine, nor its neighbours, nor a sandbox of its own project", async (t) => {
    const port = await listen(t);
    const { nodeId, open } = await driverOf(t, []);
    const [session, other] = await Promise.all([open("default"), open("default")]);
    const env = { op: "text", path: "/proc/net/fib_trie" };
    const trie = await other.invoke<string>(env);
    const otherAddress = [...trie.matchAll(/\|-- (\d+\.\d+\.\d+\.\d+)\n\s+\/32 host LOCAL/g)]
      .map(([, address]) => address as string)
      .find((address) => !address.startsWith("127."));
    assert.notEqual(otherAddress, undefined, trie);
    const refused: Record<string, string> = {};
    for (const host of [...(await hostAddresses(nodeId)), otherAddress as string])
      refused[host] = await session.invoke<string>({ op: "connect", host, port });
    for (const [host, answer] of Object.entries(refused))
      assert.match(answer, /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH/, host);
    assert(Object.keys(refused).length > 4);
    // At once, by a rule, and not because nothing is there.
    const rules = await session.invoke<string>({ op: "connect", host: "192.168.255.1", port });
    assert.equal(rules, "ECONNREFUSED");
    await Promise.all([destroyed(session), destroyed(other)]);
  });

  test("reaches what the operator allows, and cannot change the rules", async (t) => {
    const port = await listen(t);
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const outside = own.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
    const ways = ["10.0.2.2", ...(outside === undefined ? [] : [outside])];
    const { open } = await driverOf(t, ways);
    const session = await open("default");
    const answers = [];
    for (const host of ways) answers.push(await session.invoke({ op: "connect", host, port }));
    assert(answers.includes("connected"), answers.join(", "));
    const status = await session.invoke<string>({ op: "status" });
    assert.match(status, /CapEff:\s+0+\n/);
    await destroyed(session);
  });

  test("asks the machine's name servers, although these have private addresses", async (t) => {
    const { open } = await driverOf(t, []);
    const session = await open("default");
    // Which names there are depends on the machine; that one is answered at all does not.
    const answer = await session.invoke<string>({ op: "lookup", name: "registry.npmjs.org" });
    assert.match(answer, /^(\d+\.|[0-9a-f]+:|ENOTFOUND)/);
    await destroyed(session);
  });

  test("finds the way again when somebody has removed the network of its project", async (t) => {
    const { nodeId, open } = await driverOf(t, []);
    await destroyed(await open("default"));
    const engine = await containers.engine();
    for (const name of await networksOf(nodeId)) {
      for (let tries = 0; tries < 50; tries += 1) {
        if (
          await engine.docker
            .getNetwork(name)
            .remove()
            .then(
              () => true,
              () => false,
            )
        )
          break;
        await delay(100);
      }
    }
    assert.deepEqual(await networksOf(nodeId), []);
    await destroyed(await open("default"));
    assert.equal((await networksOf(nodeId)).length, 1);
  });

  test("is the exception: any other has no interface but its own loopback", async (t) => {
    const { open } = await driverOf(t, []);
    const session = await open();
    const devices = await session.invoke<string>({ op: "text", path: "/proc/net/dev" });
    assert.deepEqual(
      devices.match(/^\s*\w+(?=:)/gm)?.map((name) => name.trim()),
      ["lo"],
    );
    await destroyed(session);
  });
});
