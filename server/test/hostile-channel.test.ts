import { strict as assert } from "node:assert";
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import { HostChannel } from "@isola/protocol/host-channel";
import { HttpReply } from "../src/gateway/http-reply.ts";

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(payload.length, 0);
  head[4] = type;
  head[5] = flags;
  head.writeUInt32LE(stream, 8);
  return Buffer.concat([head, payload]);
}

/** The host's end of a sandbox that never reads. */
function deafSandbox() {
  const socket = new Duplex({ read() {}, write() {} });
  const channel = new HostChannel(socket, { onLog() {}, onEnd() {} });
  const sink = { onHead() {}, onPause() {}, onBody() {}, onError() {}, onClosed() {} };
  const stream = channel.open(0, { timeoutMs: 1000, deadlineMs: 0 }, "", {
    ...sink,
    onWritable() {},
  });
  return { socket, channel, stream };
}

const turn = () => new Promise(setImmediate);

describe("the channel of a sandbox that lies", () => {
  test("credit does not make the host hold what the sandbox does not read", async () => {
    const { socket, channel, stream } = deafSandbox();
    const credit = Buffer.alloc(4);
    credit.writeUInt32LE(2 ** 31 - 1 - 262_144);
    socket.push(frame(0x15, 0, 1, credit));
    await turn();
    let sent = 0;
    // A caller sends as long as it may.
    while (sent < 20_000_000) {
      sent += 65_536;
      if (channel.ended !== null || !channel.write(stream, Buffer.alloc(65_536))) break;
      await turn();
    }
    assert.ok(sent < 8_000_000, `the host took ${sent} bytes for a sandbox that reads none`);
  });
});

describe("the answer to a caller that does not read", () => {
  test("waits for room with one listener however many pieces come", () => {
    let hasRoom = false;
    const written: string[] = [];
    const write = (bytes: Buffer) => {
      written.push(bytes.toString());
      return hasRoom;
    };
    const response = Object.assign(new EventEmitter(), { write, headersSent: true });
    const request = { method: "GET", headers: {}, complete: true } as unknown as IncomingMessage;
    const reply = new HttpReply(request, response as unknown as ServerResponse);
    let drains = 0;
    reply.onDrain = () => {
      drains += 1;
    };
    for (let at = 0; at < 5; at += 1) reply.body(Buffer.from("x"));
    assert.equal(response.listenerCount("drain"), 1);
    hasRoom = true;
    response.emit("drain");
    assert.equal(drains, 1);
    assert.deepEqual(written, ["x", "xxxx"]);
  });
});
