import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bootCalls } from "./boot-calls.ts";

const shape = { memoryMiB: 512, vcpus: 1 };
const argsOf = ([first]: ReturnType<typeof bootCalls>) =>
  (first?.body as { boot_args: string } | undefined)?.boot_args ?? "";
const drivesOf = (calls: ReturnType<typeof bootCalls>) =>
  calls.map(({ path }) => path).filter((path) => path.startsWith("/drives/"));

describe("what makes a machine of Firecracker", () => {
  test("has one drive, and for a build the tools behind it and the path of its socket", () => {
    const plain = bootCalls(shape);
    assert.deepEqual(drivesOf(plain), ["/drives/root"]);
    assert.doesNotMatch(argsOf(plain), /isola\.(tools|socket)/);
    const socket = { at: "/opt/isola/registries.sock", onChannel: () => {} };
    const built = bootCalls(shape, { hasTools: true, socket });
    assert.deepEqual(drivesOf(built), ["/drives/root", "/drives/tools"]);
    assert.match(argsOf(built), / isola\.tools=1 isola\.socket=\/opt\/isola\/registries\.sock$/);
  });
});
