import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { PoolBench, makeFunction } from "../pool/testing/pool-bench.ts";
import { Admission, CallCount } from "./admission.ts";
import { FunctionTable } from "./function-table.ts";

const refused = { code: "too_many_requests" };

function isLetIn(admission: Admission, count: CallCount): boolean {
  try {
    admission.enter(count);
    return true;
  } catch {
    return false;
  }
}

describe("admission of calls", () => {
  test("ends at invocationsMax, with the setting's name, and goes on when one has left", () => {
    const admission = new Admission(2);
    const count = new CallCount();
    admission.enter(count);
    admission.enter(count);
    assert.throws(() => admission.enter(count), { ...refused, message: /2 .*invocationsMax/ });
    admission.leave(count);
    admission.enter(count);
  });

  test("keeps what is reserved from others, and holds the function to it", () => {
    const admission = new Admission(3);
    const [own, other] = [new CallCount(), new CallCount()];
    admission.reserve(own, 2);
    admission.enter(other);
    assert.throws(() => admission.enter(other), { ...refused, message: /2 of them reserved/ });
    admission.enter(own);
    admission.enter(own);
    assert.throws(() => admission.enter(own), { ...refused, message: /reservedConcurrency is 2/ });
  });

  test("ends at invocationsMax also where more is reserved", () => {
    const admission = new Admission(3);
    const [one, other] = [new CallCount(), new CallCount()];
    admission.reserve(one, 2);
    assert.equal(admission.reserve(other, 2), false);
    for (const count of [one, one, other]) admission.enter(count);
    assert.throws(() => admission.enter(other), { ...refused, message: /3 calls at once/ });
  });

  test("never exceeds a limit, never refuses a place that is there, whatever comes and changes", () => {
    const step = fc.record({
      index: fc.nat(2),
      what: fc.constantFrom("enter", "enter", "leave", "reserve", "share"),
      reserved: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const most = 7;
        const admission = new Admission(most);
        const counts = Array.from({ length: 3 }, () => new CallCount());
        const sum = (of: (count: CallCount) => number) =>
          counts.reduce((all, count) => all + of(count), 0);
        for (const { index, what, reserved } of steps) {
          const count = counts[index] as CallCount;
          const shared = sum((one) => (one.reserved === null ? one.calls : 0));
          const left = most - sum((one) => one.reserved ?? 0);
          const isRoom = count.reserved === null ? shared < left : count.calls < count.reserved;
          const isExpected = isRoom && admission.calls < most;
          if (what === "enter") assert.equal(isLetIn(admission, count), isExpected);
          if (what === "leave" && count.calls > 0) admission.leave(count);
          if (what === "reserve") admission.reserve(count, reserved);
          if (what === "share") admission.reserve(count, null);
          assert.equal(
            admission.calls,
            sum(({ calls }) => calls),
          );
          assert.ok(admission.calls <= most);
        }
      }),
    );
  });

  test("follows deploys and deletes while calls are under way, and tells when too much is reserved", () => {
    const problems: string[] = [];
    const admission = new Admission(2);
    const pools = new PoolBench().pools();
    const table = new FunctionTable(pools, admission, (problem) => problems.push(problem));
    table.reset([], true, true);
    const hello = (revision: number, reservedConcurrency: number | null) =>
      makeFunction({ reservedConcurrency }, { revision });
    table.upsert(hello(1, null));
    const entry = table.get("default", "hello");
    assert.ok(entry);
    admission.enter(entry);
    table.upsert(hello(2, 1));
    assert.throws(() => admission.enter(entry), refused);
    table.upsert(hello(3, 3));
    assert.equal(problems.length, 1);
    table.remove({ project: "default", name: "hello" });
    admission.leave(entry);
    const other = new CallCount();
    admission.enter(other);
    admission.enter(other);
    assert.equal(admission.calls, 2);
  });
});
