import assert from "node:assert/strict";
import { test } from "node:test";
import { sandboxMarks } from "../cgroups/sandbox-mark.ts";
import { labels } from "./container-options.ts";
import type { Containers, ListedContainer } from "./containers.ts";
import { sweepContainers } from "./sweep.ts";

test("one container that cannot be removed keeps no other, and is told at the end", async () => {
  const removed: string[] = [];
  const containers = {
    list: async () =>
      ["stuck", "loose"].map((id) => ({
        id,
        isRunning: true,
        labels: { [labels.boot]: "before", [labels.sandbox]: id },
      })),
    remove: async (id: string) => {
      if (id === "stuck") throw new Error("device busy");
      removed.push(id);
    },
  } as unknown as Containers;
  await assert.rejects(
    sweepContainers({
      ...{ containers, tree: null, marks: sandboxMarks("node", "now"), nodeId: "node" },
      ...{ bootId: "now", driver: "docker", isHeld: () => false, unheld: new Set<string>() },
    }),
    { code: "driver_unavailable", message: /sb?.*stuck: device busy/ },
  );
  assert.deepEqual(removed, ["loose"]);
});

test("a container of this life that nobody holds is removed at the second sweep that finds it so", async () => {
  const removed: string[] = [];
  const container = (id: string, boot: string): ListedContainer => ({
    ...{ id, isRunning: true },
    labels: {
      ...{ [labels.boot]: boot, [labels.sandbox]: `sb-${id}` },
      [labels.driver]: id.startsWith("other") ? "gvisor" : "docker",
    },
  });
  const lives = {
    held: "now",
    late: "now",
    "other-late": "now",
    old: "before",
    "other-old": "before",
  };
  const all = Object.entries(lives).map(([id, boot]) => container(id, boot));
  const containers = {
    list: async () => all.filter(({ id }) => !removed.includes(id)),
    remove: async (id: string) => void removed.push(id),
  } as unknown as Containers;
  const unheld = new Set<string>();
  const sweep = () =>
    sweepContainers({
      ...{ containers, tree: null, marks: sandboxMarks("node", "now"), nodeId: "node" },
      ...{ bootId: "now", driver: "docker", unheld },
      isHeld: (id: string) => id === "held",
    });
  const earlier = ["old", "other-old"].map((id) => `container isola.node.before.sb-${id}`);
  assert.deepEqual(await sweep(), earlier);
  all.push(container("starting", "now"));
  assert.deepEqual(await sweep(), ["container isola.node.now.sb-late"]);
  assert.deepEqual(removed, ["old", "other-old", "late"]);
});
