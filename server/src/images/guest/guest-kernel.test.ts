import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { testView } from "../../drivers/testing/test-guest.ts";
import { GuestImages } from "./guest-images.ts";
import { kernelPackage } from "./kernel.ts";
import { standInTools } from "./own-kernel/stand-in-tools.fixture.ts";
import { Parts } from "./parts.ts";

const forever = new AbortController().signal;

describe("the kernel of guests", { timeout: 60_000 }, () => {
  test("is the operator's before one that was built here, and that before the distribution's", async (t) => {
    const { folder, source: kernelSource } = await standInTools(t);
    const options = { folder, kernelSource, view: testView() };
    const images = new GuestImages({ ...options, kernel: null });
    const listed = async (of: GuestImages) =>
      (await of.list([]))
        .filter(({ kind }) => kind === "kernel")
        .map(({ text, state }) => [text, state]);
    assert.equal(await images.kernelInUse(), `${kernelPackage()}, the distribution's`);
    assert.deepEqual(await listed(images), [[kernelPackage(), "missing"]]);
    const { name, wasBuilt } = await images.buildKernel(() => {}, forever);
    const text = `6.1.999-isola, built here of ${kernelSource}`;
    assert.equal(wasBuilt, true);
    assert.equal(await images.kernelInUse(), text);
    assert.deepEqual(await listed(images), [[text, "current"]]);
    assert.deepEqual(await images.prune([]), []);
    const again = await images.buildKernel(() => {}, forever);
    assert.deepEqual([again.name, again.wasBuilt], [name, false]);

    const kernel = join(folder, "..", "operators");
    await writeFile(kernel, "x");
    const other = new GuestImages({ ...options, kernel });
    assert.equal(await other.kernelInUse(), `${kernel}, the operator's`);
    assert.deepEqual(await listed(other), [
      [kernel, "missing"],
      [text, "outdated"],
    ]);
    const refused = other.buildKernel(() => {}, forever);
    await assert.rejects(
      refused,
      /the kernel that vmKernel names, .*: unset it before one is built/,
    );
  });

  test("that was made of another configuration is outdated", async (t) => {
    const { folder } = await standInTools(t);
    const fill = async (at: string) => {
      await writeFile(join(at, "vmlinuz"), "x");
      return "6.1.998-isola";
    };
    const { name } = await new Parts(folder).make("kernel", "own 0123 4567", fill);
    const images = new GuestImages({ folder, kernel: null, kernelSource: null, view: testView() });
    assert.equal(await images.kernelInUse(), `${kernelPackage()}, the distribution's`);
    assert.deepEqual(await images.prune([]), [name]);
  });
});
