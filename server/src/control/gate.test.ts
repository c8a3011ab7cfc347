import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Gate } from "./gate.ts";
import { KeyedQueue } from "./keyed-queue.ts";

describe("a gate", () => {
  test("lets many share it, and one have it alone once they are done, before who comes later", async () => {
    const gate = new Gate();
    const order: string[] = [];
    const held = Promise.withResolvers<void>();
    const first = gate.share(async () => {
      order.push("first in");
      await held.promise;
      order.push("first out");
    });
    const second = gate.share(async () => void order.push("second"));
    const alone = gate.alone(async () => {
      order.push("alone in");
      await turn();
      order.push("alone out");
    });
    const later = gate.share(async () => void order.push("later"));
    await second;
    await turn();
    assert.deepEqual(order, ["first in", "second"]);
    held.resolve();
    await Promise.all([first, alone, later]);
    assert.deepEqual(order, ["first in", "second", "first out", "alone in", "alone out", "later"]);
  });

  test("opens again after a failure inside", async () => {
    const gate = new Gate();
    const fail = async () => {
      throw new Error("inside");
    };
    await assert.rejects(gate.alone(fail), /inside/);
    await assert.rejects(gate.share(fail), /inside/);
    assert.equal(await gate.alone(async () => 1), 1);
    assert.equal(await gate.share(async () => 2), 2);
  });
});

describe("a keyed queue", () => {
  test("runs tasks of one key in order, of others at once, and goes on after a failure", async () => {
    const queue = new KeyedQueue();
    const order: string[] = [];
    const held = Promise.withResolvers<void>();
    const a1 = queue.run("a", async () => {
      await held.promise;
      order.push("a1");
      throw new Error("a1");
    });
    const a2 = queue.run("a", async () => void order.push("a2"));
    await queue.run("b", async () => void order.push("b"));
    held.resolve();
    await assert.rejects(a1, /a1/);
    await a2;
    assert.deepEqual(order, ["b", "a1", "a2"]);
  });

  test("refuses the one that comes when 1000 wait", async () => {
    const queue = new KeyedQueue();
    const held = Promise.withResolvers<void>();
    const all = Array.from({ length: 1000 }, () => queue.run("a", () => held.promise));
    await assert.rejects(
      queue.run("a", async () => {}),
      { code: "conflict" },
    );
    held.resolve();
    await Promise.all(all);
    assert.equal(await queue.run("a", async () => 1), 1);
  });
});
