import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CallTraces } from "./call-traces.ts";

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const span = "00f067aa0ba902b7";
const MANY = 4000;

function begun(ratio: number) {
  const traces = new CallTraces(ratio);
  return Array.from({ length: MANY }, () => traces.begin(undefined, undefined));
}

describe("traces that begin here", () => {
  test("have ids of their own, and tell the function", () => {
    const all = begun(1);
    assert.equal(new Set(all.map(({ place }) => place?.traceId)).size, MANY);
    assert.equal(new Set(all.map(({ place }) => place?.runSpanId)).size, MANY);
    for (const { place, headerBlock } of all) {
      assert.ok(place);
      const { traceId, runSpanId, parentSpanId } = place;
      assert.match(traceId, /^[0-9a-f]{32}$/);
      assert.equal(headerBlock, `\ntraceparent\n00-${traceId}-${runSpanId}-01`);
      assert.equal(parentSpanId, null);
    }
  });

  test("have spans as the ratio says, by their ids", () => {
    const sampled = (ratio: number) => begun(ratio).flatMap(({ place }) => place ?? []);
    assert.equal(sampled(0).length, 0);
    assert.equal(sampled(1).length, MANY);
    const part = sampled(0.25);
    assert.ok(part.length > MANY * 0.2 && part.length < MANY * 0.3, String(part.length));
    const random = ({ traceId }: { traceId: string }) => Number.parseInt(traceId.slice(18, 28), 16);
    for (const one of part) assert.ok(random(one) >= 0.75 * 16 ** 10 - 1);
  });

  test("and are not sampled say so to the function alone", () => {
    const { place, headerBlock } = new CallTraces(0).begin(undefined, undefined);
    assert.equal(place, null);
    assert.match(headerBlock, /^\ntraceparent\n00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });
});

describe("a caller's trace", () => {
  test("that is sampled goes on whatever the ratio, with a span of ours between", () => {
    const { place, headerBlock } = new CallTraces(0).begin(`00-${trace}-${span}-03`, "a=1, b=2");
    assert.equal(place?.traceId, trace);
    assert.equal(place.parentSpanId, span);
    assert.notEqual(place.runSpanId, span);
    const parent = `\ntraceparent\n00-${trace}-${place.runSpanId}-03`;
    assert.equal(headerBlock, `${parent}\ntracestate\na=1,b=2`);
  });

  test("that is not is passed on as it is", () => {
    const { place, headerBlock } = new CallTraces(1).begin(`00-${trace}-${span}-00`, "a=1");
    assert.deepEqual(place, { traceId: trace, runSpanId: null, parentSpanId: null });
    assert.equal(headerBlock, `\ntraceparent\n00-${trace}-${span}-00\ntracestate\na=1`);
  });

  test("that is not valid is left behind, with its state", () => {
    const one = new CallTraces(1).begin(`00-${trace}-${span}-01, 00-${trace}-${span}-01`, "a=1");
    assert.notEqual(one.place?.traceId, trace);
    assert.ok(!one.headerBlock.includes("tracestate"));
  });

  test("keeps its place where its state is not valid", () => {
    const one = new CallTraces(1).begin(`00-${trace}-${span}-01`, "A=1");
    assert.equal(one.place?.traceId, trace);
    assert.ok(!one.headerBlock.includes("tracestate"));
  });
});
