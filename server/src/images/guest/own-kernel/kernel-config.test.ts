import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { kernelFragment } from "./build-kernel.ts";
import { optionsOf, untakenOptions } from "./kernel-config.ts";

const config = [
  "# Automatically generated file",
  "CONFIG_SMP=y",
  "CONFIG_NR_CPUS=32",
  "CONFIG_EROFS_FS=m",
  "# CONFIG_MODULES is not set",
  'CONFIG_LOCALVERSION="-isola"',
].join("\n");

describe("the configuration of a kernel", () => {
  test("is compared option by option, and each that did not take is named with what it is", () => {
    assert.deepEqual(untakenOptions(config, config), []);
    assert.deepEqual(untakenOptions("# CONFIG_USER_NS is not set\n\n# words", config), []);
    const wanted = [
      ...["CONFIG_SMP=y", "CONFIG_NR_CPUS=64", "CONFIG_EROFS_FS=y", "CONFIG_MODULES=y"],
      ...["CONFIG_VMGENID=y", "# CONFIG_SMP is not set"],
    ].join("\n");
    assert.deepEqual(untakenOptions(wanted, config), [
      "CONFIG_SMP=n (it is y)",
      "CONFIG_NR_CPUS=64 (it is 32)",
      "CONFIG_EROFS_FS=y (it is m)",
      "CONFIG_MODULES=y (it is n)",
      "CONFIG_VMGENID=y (it is n)",
    ]);
  });

  test("of this repository has each option once, no modules and no namespaces of users", () => {
    const { text } = kernelFragment(fileURLToPath(new URL("../../../../..", import.meta.url)));
    const options = optionsOf(text);
    const lines = text.split("\n").filter((line) => /^(# )?CONFIG_/.test(line));
    assert.equal(options.size, lines.length);
    assert.equal([...options.values()].includes("m"), false);
    assert.equal(options.get("CONFIG_MODULES"), "n");
    assert.equal(options.get("CONFIG_USER_NS"), "n");
    for (const name of ["VIRTIO_MMIO", "VIRTIO_CONSOLE", "VIRTIO_VSOCKETS", "EROFS_FS", "SQUASHFS"])
      assert.equal(options.get(`CONFIG_${name}`), "y", name);
  });
});
