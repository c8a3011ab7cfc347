import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { GuestImages } from "../../images/guest/guest-images.ts";
import { Parts } from "../../images/guest/parts.ts";
import type { RuntimeSpec } from "../driver.ts";
import { testView } from "../testing/test-guest.ts";
import { guestSource } from "./guests.ts";

const runtime = { name: "nodejs26", version: "26.1.0", executable: "/node" } as RuntimeSpec;

describe("the source of guests", () => {
  test("looks again where the parts have changed, and else not", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "isola-guests-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const images = new GuestImages({ folder, kernel: null, kernelSource: null, view: testView() });
    let asked = 0;
    images.ensure = async () => {
      asked += 1;
      return { digest: String(asked) } as Awaited<ReturnType<GuestImages["ensure"]>>;
    };
    const source = guestSource(images, () => {});
    const digests = async () => [(await source.of(runtime)).digest, source.any?.digest];
    assert.deepEqual(await digests(), ["1", "1"]);
    assert.deepEqual(await digests(), ["1", "1"]);
    await new Parts(folder).make("kernel", "another", async (at) => {
      await writeFile(join(at, "vmlinuz"), "x");
      return "6.1.0";
    });
    assert.deepEqual(await digests(), ["2", "2"]);
    assert.deepEqual(await digests(), ["2", "2"]);
  });
});
