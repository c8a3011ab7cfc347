import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { kernelVersion } from "./kernel.ts";
import { dependenciesOf, findModules } from "./modules.ts";

async function folderWith(t: TestContext, files: Record<string, string | Buffer>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "isola-kernel-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

function bzImage(version: string): Buffer {
  const image = Buffer.alloc(20_000);
  image.write("HdrS", 0x202);
  image.writeUInt16LE(0x3000, 0x20e);
  image.write(`${version} (builder) #1 SMP\0`, 0x3200);
  return image;
}

/** As the section `.modinfo` of a module says what it stands on. */
const module = (depends: string) =>
  Buffer.from(`\x7fELF\0license=GPL\0depends=${depends}\0name=x\0`);

describe("a kernel", () => {
  test("tells its version, and other files are refused by name", async (t) => {
    const folder = await folderWith(t, {
      bzImage: bzImage("6.1.0-57-cloud-amd64"),
      elf: Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(20_000)]),
      text: "x".repeat(20_000),
      short: "HdrS",
    });
    assert.equal(await kernelVersion(join(folder, "bzImage")), "6.1.0-57-cloud-amd64");
    assert.equal(await kernelVersion(join(folder, "elf")), "unknown");
    for (const [name, why] of [
      ["text", /text is no kernel .* expected a bzImage or an ELF file/],
      ["short", /short cannot be read: it is too short/],
      ["none", /none cannot be read: ENOENT/],
    ] as const)
      await assert.rejects(kernelVersion(join(folder, name)), (error: Error) => {
        assert.match(error.message, why);
        return true;
      });
  });

  test("gives its modules in an order in which each stands after what it needs", async (t) => {
    const at = (name: string) => `kernel/drivers/${name}.ko`;
    const folder = await folderWith(t, {
      [at("virtio_mmio")]: module("virtio,virtio_ring"),
      [at("virtio_blk")]: module("virtio_ring,virtio"),
      [at("virtio")]: module("virtio_ring"),
      [at("virtio_ring")]: module(""),
      [at("erofs")]: module("libcrc32c"),
      [at("virtio_console")]: module("virtio"),
      [at("vmw_vsock_virtio_transport")]: module("vsock"),
      [at("vsock")]: module(""),
      "modules.builtin": "kernel/fs/squashfs/squashfs.ko\nkernel/lib/libcrc32c.ko\n",
    });
    const names = (await findModules(folder)).map(({ name }) => name);
    assert.deepEqual(names, [
      ...["common.00.virtio_ring.ko", "common.01.virtio.ko", "common.02.virtio_mmio.ko"],
      ...["common.03.virtio_blk.ko", "erofs.04.erofs.ko", "serial.05.virtio_console.ko"],
      ...["vsock.06.vsock.ko", "vsock.07.vmw_vsock_virtio_transport.ko"],
    ]);
    await rm(join(folder, at("virtio")));
    await assert.rejects(findModules(folder), /has no module virtio, which/);
    assert.deepEqual(await findModules(join(folder, "none")), []);
  });

  test("module without dependencies has none", () => {
    assert.deepEqual(dependenciesOf(Buffer.from("nothing of the kind")), []);
    assert.deepEqual(dependenciesOf(module("a-b,c")), ["a_b", "c"]);
  });
});
