import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import type { StreamName } from "../../driver.ts";
import { openPlace } from "./place.ts";
import { VsockEnds } from "./vsock-ends.ts";

const elsewhere = "/dev/shm";

/** A gateway whose sockets are in `home`, and the vsock of a machine. */
async function stand(t: TestContext, home: string) {
  const folder = mkdtempSync(join(tmpdir(), "isola-vsock-"));
  const gateway = mkdtempSync(join(home, "isola-gateway-"));
  const streams = new Map<string, Promise<Socket>>();
  const listen = async (_: string, stream: StreamName) => {
    const server = createServer({ allowHalfOpen: true });
    const connected = once(server, "connection").then(([socket]) => {
      server.close();
      return socket as Socket;
    });
    streams.set(stream, connected);
    const path = join(gateway, stream);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    t.after(() => server.close());
    return path;
  };
  const ends = { listen, dial: () => Promise.reject(new Error("nobody dials")) };
  mkdirSync(join(folder, "m"));
  const vsock = await VsockEnds.open(openPlace(join(folder, "m")), "sb-1", ends);
  t.after(() => {
    vsock.close();
    rmSync(folder, { recursive: true });
    rmSync(gateway, { recursive: true });
  });
  const dial = async (port: number) => {
    const socket = connect({ path: join(folder, "m", `v_${port}`), allowHalfOpen: true });
    t.after(() => socket.destroy());
    await once(socket, "connect");
    return socket;
  };
  return { vsock, folder: join(folder, "m"), gateway, streams, dial };
}

async function textOf(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (part) => {
    text += String(part);
  });
  await once(socket, "end");
  return text;
}

describe("the host's end of a machine's vsock", () => {
  const isElsewhere = statSync(elsewhere).dev !== statSync(tmpdir()).dev;
  const homes: Record<string, [string, string | false]> = {
    "by another name of the gateway's own socket": [tmpdir(), false],
    "through the keeper, where the two are on different file systems": [
      elsewhere,
      isElsewhere ? false : "needs /dev/shm as another file system than the temporary folder",
    ],
  };
  for (const [how, [home, skip]] of Object.entries(homes))
    test(`carries the streams both ways, ${how}`, { skip }, async (t) => {
      const { streams, dial, gateway, folder } = await stand(t, home);
      const isSame = (port: number, stream: string) =>
        statSync(join(folder, `v_${port}`)).ino === statSync(join(gateway, stream)).ino;
      assert.equal(isSame(1024, "control"), home === tmpdir());
      const guest = await dial(1024);
      const host = (await streams.get("control")) as Socket;
      guest.end("from the guest");
      assert.equal(await textOf(host), "from the guest");
      host.end("from the host");
      assert.equal(await textOf(guest), "from the host");
    });

  test("has a socket for each port of the guest's, and the agent's is the keeper's", async (t) => {
    const { vsock, folder, dial } = await stand(t, tmpdir());
    assert.deepEqual(readdirSync(folder).sort(), ["v_1024", "v_1025", "v_1026", "v_1027"]);
    const guest = await dial(1027);
    guest.write("up 1\n");
    const [word] = await once(await vsock.agent, "data");
    assert.equal(String(word), "up 1\n");
  });

  test("takes one connection of the agent's, and none when it is closed", async (t) => {
    const { vsock, dial } = await stand(t, tmpdir());
    await dial(1027);
    await vsock.agent;
    await assert.rejects(dial(1027), { code: "ENOENT" });
    const other = await stand(t, tmpdir());
    other.vsock.close();
    await assert.rejects(other.vsock.agent, /the vsock was closed/);
    await assert.rejects(other.dial(1027), { code: "ENOENT" });
  });
});
