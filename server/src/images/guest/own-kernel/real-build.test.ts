import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { testView, whyNoGuest } from "../../../drivers/testing/test-guest.ts";
import { findRuntimes } from "../../../drivers/runtimes.ts";
import { messageOf } from "../../../errors.ts";
import { GuestImages } from "../guest-images.ts";
import type { GuestRuntime } from "../guest-runtime.ts";
import { TestGuest } from "../qemu.fixture.ts";
import { findBuildTools } from "./kernel-tools.ts";

const root = fileURLToPath(new URL("../../../../..", import.meta.url));

async function whyNot(): Promise<string | false> {
  return (
    whyNoGuest() ??
    (await findBuildTools(process.env).then(
      () => false,
      (error: unknown) => messageOf(error),
    ))
  );
}

// Ten minutes of a processor.
if (process.env.MICROVM_TESTS === "whole")
  describe("a kernel of the real source", { skip: await whyNot(), timeout: 3_600_000 }, () => {
    test("is built, takes every option, and boots a guest without modules", async (t) => {
      const folder = await mkdtemp(join(tmpdir(), "isola-real-kernel-"));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const images = new GuestImages({
        folder,
        kernel: null,
        kernelSource: null,
        view: testView(),
      });
      const built = await images.buildKernel(() => {}, t.signal);
      assert.match(
        await images.kernelInUse(),
        /^6\.1\.\d+-isola, built here of linux-source-6\.1 /,
      );
      assert.deepEqual((await readdir(join(folder, built.name))).sort(), ["part.json", "vmlinuz"]);
      const runtimes = await findRuntimes({ root, python: null });
      const paths = await images.ensure(runtimes[0] as GuestRuntime);
      assert.ok(paths.kernel.includes(built.name));
      const guest = await TestGuest.boot(paths);
      t.after(() => guest.close());
      assert.equal(await guest.line(() => true), "up 1");
      assert.equal(await guest.start(), "ok");
    });
  });
