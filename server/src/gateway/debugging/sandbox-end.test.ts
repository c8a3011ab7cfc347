import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { type Socket, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { SandboxEnd } from "./sandbox-end.ts";

function openEnd(t: TestContext, onReady: () => void = () => {}): SandboxEnd {
  const folder = mkdtempSync(join(tmpdir(), "isola-test-"));
  const end = new SandboxEnd(join(folder, "1.sock"), onReady);
  t.after(() => {
    end.close();
    rmSync(folder, { recursive: true });
  });
  return end;
}

async function relay({ path }: SandboxEnd): Promise<Socket> {
  const socket = connect({ path });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

test("a connection that waits is taken into use by one byte, and then carries what comes from either side", async (t) => {
  const ready = Promise.withResolvers<void>();
  const end = openEnd(t, ready.resolve);
  const inside = await relay(end);
  await ready.promise;
  const taken = await end.take();
  assert.equal(String((await once(inside, "data"))[0]), "\n");
  inside.write("from inside");
  taken.resume();
  assert.equal(String((await once(taken, "data"))[0]), "from inside");
  taken.write("from outside");
  assert.equal(String((await once(inside, "data"))[0]), "from outside");
});

test("whoever asks before there is one gets the first that comes", async (t) => {
  const end = openEnd(t);
  const asked = end.take();
  const inside = await relay(end);
  await asked;
  assert.equal(String((await once(inside, "data"))[0]), "\n");
});

test("code that opens many connections, or speaks before it is asked, is cut off and not heard", async (t) => {
  let arrivals = 0;
  const eighth = Promise.withResolvers<void>();
  const end = openEnd(t, () => {
    arrivals += 1;
    if (arrivals === 8) eighth.resolve();
  });
  const first = await relay(end);
  first.write("unasked");
  const more = await Promise.all(Array.from({ length: 7 }, () => relay(end)));
  await eighth.promise;
  const ninth = await relay(end);
  await once(ninth, "close");
  const taken = await end.take();
  assert.equal(String((await once(first, "data"))[0]), "\n");
  first.write("asked");
  taken.resume();
  assert.equal(String((await once(taken, "data"))[0]), "asked");
  assert.equal(arrivals, 8);
  for (const socket of [first, ...more]) socket.destroy();
});

test("with its end every connection ends, and nothing is left of its path", async (t) => {
  const end = openEnd(t);
  const asked = end.take();
  const [used, waiting] = [await relay(end), await relay(end)];
  await asked;
  for (const socket of [used, waiting]) socket.resume();
  end.close();
  await Promise.all([once(used, "close"), once(waiting, "close")]);
  assert.equal(existsSync(end.path), false);
});
