import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type Socket, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Duplex, duplexPair } from "node:stream";
import { type TestContext, describe, test } from "node:test";
import { carrySocket } from "./carried-socket.ts";
import { Kind, type SocketFrame, SocketFrames, socketFrame, takenFrame } from "./socket-frames.ts";

const WINDOW_BYTES = 131_072;

/** A guest that keeps to the frames, as far as a test has it do so. */
class Guest {
  readonly problems: string[] = [];
  readonly frames: SocketFrame[] = [];
  readonly channel: Duplex;
  #onFrame: () => void = () => {};

  constructor(path: string) {
    const [own, hosts] = duplexPair();
    this.channel = own;
    const reader = new SocketFrames();
    own.on("data", (chunk: Buffer) => {
      this.frames.push(
        ...reader.push(chunk).map((each) => ({ ...each, bytes: Buffer.from(each.bytes) })),
      );
      this.#onFrame();
    });
    carrySocket(hosts, path, (problem) => this.problems.push(problem));
  }

  say(kind: number, number: number, text = ""): void {
    this.channel.write(socketFrame(kind, number, Buffer.from(text)));
  }

  bytesOf(number: number): number {
    return this.#of(number, Kind.data).reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds())
      await new Promise<void>((resolve) => {
        this.#onFrame = resolve;
      });
  }

  has(kind: number, number: number): boolean {
    return this.#of(number, kind).length > 0;
  }

  #of(number: number, kind: number): SocketFrame[] {
    return this.frames.filter((each) => each.number === number && each.kind === kind);
  }
}

/** A socket of the platform, and a guest that has a way to it. */
async function opened(t: TestContext, onSocket: (socket: Socket) => void) {
  const folder = mkdtempSync(join(tmpdir(), "isola-carried-"));
  const path = join(folder, "s");
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    onSocket(socket);
  });
  await once(server.listen(path), "listening");
  const guest = new Guest(path);
  t.after(() => {
    guest.channel.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { guest, sockets, server, path };
}

const echo = (socket: Socket) => void socket.pipe(socket);

describe("a socket that is carried into a machine", { timeout: 20_000 }, () => {
  test("gives each connection its own bytes, both ways, to the end of both", async (t) => {
    const { guest, sockets } = await opened(t, echo);
    for (const number of [1, 2]) {
      guest.say(Kind.open, number);
      guest.say(Kind.data, number, `from ${number}`);
      guest.say(Kind.end, number);
    }
    await guest.until(() => guest.has(Kind.end, 1) && guest.has(Kind.end, 2));
    const said = guest.frames.filter(({ kind }) => kind === Kind.data);
    const texts = said.map(({ number, bytes }) => `${number} ${bytes}`).sort();
    assert.deepEqual(texts, ["1 from 1", "2 from 2"]);
    while (sockets.size > 0) await new Promise(setImmediate);
    assert.equal(guest.has(Kind.reset, 1), false);
  });

  test("holds back what a guest has no room for, and loses none of it when the platform has closed", async (t) => {
    const bytes = 400_000;
    const { guest } = await opened(t, (socket) => socket.end(Buffer.alloc(bytes)));
    guest.say(Kind.open, 1);
    guest.say(Kind.end, 1);
    let told = 0;
    for (let most = WINDOW_BYTES; told < bytes; most += WINDOW_BYTES) {
      const due = Math.min(most, bytes);
      await guest.until(() => guest.bytesOf(1) >= due);
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(guest.bytesOf(1), due);
      guest.channel.write(takenFrame(1, due - told));
      told = due;
    }
    await guest.until(() => guest.has(Kind.end, 1));
    assert.deepEqual([guest.has(Kind.reset, 1), guest.problems], [false, []]);
  });

  test("tells a guest what was taken, and lets it send no more than that", async (t) => {
    const { guest } = await opened(t, (socket) => socket.resume());
    guest.say(Kind.open, 1);
    for (let sent = 0; sent < WINDOW_BYTES; sent += 16_384)
      guest.say(Kind.data, 1, "x".repeat(16_384));
    await guest.until(() => guest.has(Kind.taken, 1));
    assert.deepEqual(guest.problems, []);
    // Nobody reads here: what is written stays unwritten.
    const stuck = await opened(t, (socket) => socket.pause());
    stuck.guest.say(Kind.open, 1);
    for (let sent = 0; sent < 2_000_000; sent += 16_384)
      stuck.guest.say(Kind.data, 1, "x".repeat(16_384));
    await once(stuck.guest.channel, "end");
    assert.match(
      stuck.guest.problems.join(),
      /^its way to a socket .* more bytes than there is room for$/,
    );
  });

  test("resets connections that the platform refuses or breaks, and goes on with others", async (t) => {
    const { guest, server } = await opened(
      t,
      (socket) => void socket.once("data", () => socket.destroy()),
    );
    guest.say(Kind.open, 1);
    guest.say(Kind.data, 1, "x");
    await guest.until(() => guest.has(Kind.end, 1));
    guest.say(Kind.data, 1, "y");
    await guest.until(() => guest.has(Kind.reset, 1));
    server.close();
    guest.say(Kind.open, 2);
    await guest.until(() => guest.has(Kind.reset, 2));
    // What is said of connections that are over means nothing.
    guest.say(Kind.data, 2, "late");
    guest.say(Kind.end, 2);
    guest.channel.write(takenFrame(2, 1));
    guest.say(Kind.open, 3);
    await guest.until(() => guest.has(Kind.reset, 3));
    assert.deepEqual(guest.problems, []);
  });

  test("ends all connections with the machine", async (t) => {
    const { guest, sockets } = await opened(t, echo);
    guest.say(Kind.open, 1);
    guest.say(Kind.data, 1, "x");
    await guest.until(() => guest.has(Kind.data, 1));
    assert.equal(sockets.size, 1);
    guest.channel.destroy();
    while (sockets.size > 0) await new Promise(setImmediate);
  });

  test("is closed to a guest that breaks a rule, which is told once", async (t) => {
    const oversized = Buffer.from([Kind.data, 0, 1, 0, 0xff, 0xff]);
    const open = socketFrame(Kind.open, 1);
    const many = Array.from({ length: 33 }, (_, at) => socketFrame(Kind.open, at + 1));
    for (const [said, why] of [
      [[oversized], /a piece of 65535 bytes/],
      [[socketFrame(33, 1)], /a frame of kind 33/],
      [[open, open], /connection 1 is open/],
      [many, /more than 32 connections at once/],
      [[open, takenFrame(1, 1)], /more bytes were taken than were sent/],
      [[open, socketFrame(Kind.taken, 1)], /more bytes were taken than were sent/],
      [[open, socketFrame(Kind.end, 1), socketFrame(Kind.end, 1)], /bytes behind the end/],
    ] as const) {
      const { guest, sockets } = await opened(t, echo);
      guest.channel.write(Buffer.concat([...said, socketFrame(99, 1)]));
      await once(guest.channel, "end");
      assert.equal(guest.problems.length, 1, String(why));
      assert.match(guest.problems[0] as string, why);
      while (sockets.size > 0) await new Promise(setImmediate);
    }
  });
});
