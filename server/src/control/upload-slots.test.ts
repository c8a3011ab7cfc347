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

const requestOf = (headers: Record<string, string>) => ({ headers }) as unknown as FastifyRequest;
/** Its length is not said. */
const large = requestOf({ "transfer-encoding": "chunked" });

describe("upload slots", () => {
  test("let four uploads in, the others in their order as slots come free, and refuse the 65th that waits", async () => {
    const slots = new UploadSlots();
    const entered: number[] = [];
    const replies = Array.from({ length: 68 }, replyOf);
    const takes = replies.map(({ reply }, at) =>
      slots.take(large, reply).then(() => void entered.push(at)),
    );
    await turn();
    assert.deepEqual(entered, [0, 1, 2, 3]);
    await assert.rejects(slots.take(large, replyOf().reply), { code: "not_ready" });
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

  test("are not needed by bodies that are as small as those of other calls", async () => {
    const slots = new UploadSlots();
    for (let at = 0; at < 4; at += 1)
      void slots.take(requestOf({ "content-length": "1048577" }), replyOf().reply);
    for (let at = 0; at < 100; at += 1)
      await slots.take(requestOf({ "content-length": "1048576" }), replyOf().reply);
    let hasEntered = false;
    const fifth = slots.take(requestOf({ "content-length": "1048577" }), replyOf().reply);
    void fifth.then(() => (hasEntered = true));
    await turn();
    assert.equal(hasEntered, false);
  });
});
