import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseTraceparent, passedTracestate, traceparentOf } from "./trace-context.ts";

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const span = "00f067aa0ba902b7";
const valid = `00-${trace}-${span}-01`;

describe("traceparent", () => {
  test("is read, with the flags that are known", () => {
    const parent = { traceId: trace, spanId: span };
    assert.deepEqual(parseTraceparent(valid), { ...parent, flags: 1 });
    const flags = ["00", "02", "03", "ff", "fc"].map(
      (text) => parseTraceparent(`00-${trace}-${span}-${text}`)?.flags,
    );
    assert.deepEqual(flags, [0, 2, 3, 3, 0]);
  });

  test("of a later version is read as far as it is like that of 00", () => {
    for (const text of [
      `01-${trace}-${span}-01`,
      `fe-${trace}-${span}-01-more`,
      `cc-${trace}-${span}-01-`,
    ])
      assert.equal(parseTraceparent(text)?.traceId, trace, text);
    assert.equal(parseTraceparent(`01-${trace}-${span}-01more`), null);
  });

  test("that is not valid is none", () => {
    const others = [
      ...["", "00", "-", valid.toUpperCase(), ` ${valid}`, `${valid} `, `${valid}-`, `${valid}-00`],
      ...[`${valid}, ${valid}`, `${valid},`, `ff-${trace}-${span}-01`, `0-${trace}-${span}-01`],
      ...[`00-${"0".repeat(32)}-${span}-01`, `00-${trace}-${"0".repeat(16)}-01`],
      ...[`00-${trace.slice(1)}-${span}-01`, `00-${trace}0-${span}-01`, `00-${trace}-${span}-1`],
      ...[`00-${trace.slice(1)}g-${span}-01`, `00_${trace}_${span}_01`, `00-${trace}-${span}-0x`],
      ...[`00-${trace}-${span}`, `01-${trace}-${span}-01-\n`, "0".repeat(55), valid.repeat(1000)],
    ];
    for (const text of others) assert.equal(parseTraceparent(text), null, JSON.stringify(text));
  });

  test("is written as it was read, whatever it is", () => {
    const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));
    const given = fc.tuple(hex(32), hex(16), fc.constantFrom("00", "01", "02", "03"));
    fc.assert(
      fc.property(given, ([traceId, spanId, flags]) => {
        const text = `00-${traceId}-${spanId}-${flags}`;
        const parent = parseTraceparent(text);
        if (parent !== null)
          assert.equal(traceparentOf(traceId as string, spanId as string, parent.flags), text);
        else assert.match(text, /-0{32}-|-0{16}-/);
      }),
    );
  });
});

describe("tracestate", () => {
  test("is passed on without blanks and empty members", () => {
    assert.equal(passedTracestate("a=1"), "a=1");
    assert.equal(
      passedTracestate(" a=1 ,\t, tenant@sys=x y,0k/-_*=~! "),
      "a=1,tenant@sys=x y,0k/-_*=~!",
    );
    assert.equal(passedTracestate(" , "), "");
  });

  test("that is not valid is not passed on", () => {
    const others = [
      ...["a", "=1", "a=", "a=1=2", "A=1", "a b=1", "a=1,a=2", "a=\u00e9", "a=\t1", "@a=1"],
      ...[`${"k".repeat(257)}=1`, `a=${"v".repeat(257)}`, "a=1,b"],
      Array.from({ length: 33 }, (_, at) => `k${at}=1`).join(","),
      "a=1,".repeat(4000),
    ];
    for (const text of others) assert.equal(passedTracestate(text), "", JSON.stringify(text));
  });

  test("that is long loses long members first, then the last ones", () => {
    const long = `long=${"v".repeat(200)}`;
    const short = Array.from({ length: 30 }, (_, at) => `k${at}=${"v".repeat(12)}`);
    const passed = passedTracestate([short[0], long, ...short.slice(1)].join(","));
    assert.ok(passed.length <= 512 && passed.length > 512 - 20, String(passed.length));
    assert.ok(!passed.includes("long="));
    assert.ok(passed.startsWith(`${short[0]},${short[1]},`));
    const full = Array.from({ length: 32 }, (_, at) => `${"k".repeat(10)}${at}=1`).join(",");
    assert.equal(passedTracestate(full), full, "all 32 that fit");
  });

  test("is never longer than 512 characters, and valid again", () => {
    const member = fc.stringMatching(/^[a-z][a-z0-9]{0,20}=[!-+]{1,160}$/);
    fc.assert(
      fc.property(fc.array(member, { maxLength: 40 }), (members) => {
        const passed = passedTracestate(members.join(","));
        assert.ok(passed.length <= 512);
        assert.equal(passedTracestate(passed), passed);
      }),
    );
  });
});
