import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { UploadSlots } from "./upload-slots.ts";

function replyOf() {
  const raw = Object.assign(new EventEmitter(), { destroyed: false, writableFinished: false });
  return { raw, reply: { raw } as unknown as FastifyReply };
}

describe("upload slots", () => {
  test("let four uploads in, the others in their order as slots come free, and refuse the 65th that waits", async () => {
    const slots = new UploadSlots();
    const entered: number[] = [];
    const replies = Array.from({ length: 68 }, replyOf);
    const takes = replies.map(({ reply }, at) =>
      slots.take({} as FastifyRequest, reply).then(() => void entered.push(at)),
    );
    await turn();
    assert.deepEqual(entered, [0, 1, 2, 3]);
    await assert.rejects(slots.take({} as FastifyRequest, replyOf().reply), { code: "not_ready" });
    Object.assign(replies[4]?.raw ?? {}, { destroyed: true });
    replies[2]?.raw.emit("close");
    await turn();
    assert.deepEqual(entered, [0, 1, 2, 3, 4, 5], "who left while waiting passes the slot on");
    for (const { raw } of replies) {
      raw.emit("close");
      await turn();
    }
    for (const { raw } of replies) raw.emit("close");
    await Promise.all(takes);
    assert.equal(entered.length, 68);
  });
});
