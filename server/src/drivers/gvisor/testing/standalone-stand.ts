import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCgroups } from "../../cgroups/find-cgroups.ts";
import { findMarked } from "../../cgroups/process-table.ts";
import { findProgram } from "../../find-program.ts";
import { dockerSettings } from "../../testing/docker-settings.ts";
import { findRunsc } from "../standalone/find-runsc.ts";

/** Why tests of gVisor without an engine cannot run here, and what would change it; false where they can, and on CI, where on such a machine they have to. */
export const skipStandalone = await whyNot();

async function whyNot(): Promise<string | false> {
  if (process.platform !== "linux" || process.arch !== "x64") return "runs on Linux on x64 alone";
  if (process.env.CI !== undefined) return false;
  const { problems, fixes } = await findRunsc(null);
  if (problems.length > 0) return [...problems, ...fixes].join("; to fix it: ");
  if (findProgram("mkfs.erofs") === null) return "needs mkfs.erofs: apt-get install erofs-utils";
  if (process.geteuid?.() !== 0) return "needs root";
  const { tree } = findCgroups();
  return tree === null ? "needs control groups" : false;
}

/** A node of one test, whose images are below its state. */
export function newStand(purpose: string) {
  const stateDir = mkdtempSync(join(tmpdir(), `isola-gvisor-${purpose}-`));
  const nodeId = `test-${process.pid}-${randomBytes(4).toString("hex")}`;
  const keptDir = join(stateDir, "images");
  const gvisor = { ...dockerSettings.gvisor, mode: "standalone" as const, keptDir };
  const settings = { nodeId, stateDir, acceptNoIsolation: false, ...dockerSettings, gvisor };
  return { stateDir, nodeId, settings, leftovers: () => leftoversOf(nodeId, stateDir) };
}

async function leftoversOf(nodeId: string, stateDir: string): Promise<string[]> {
  const isOurs = (text: string) => text.includes(`isola.${nodeId}.`) && !text.includes("{");
  const groups = (await findCgroups().tree?.leftovers(isOurs)) ?? [];
  const processes = await findMarked(isOurs);
  const folders = readdirSync(stateDir, { recursive: true, encoding: "utf8" });
  return [
    ...groups.map(({ name }) => `cgroup ${name}`),
    ...processes.map(({ mark }) => `process ${mark}`),
    ...folders.filter(isOurs).map((path) => `folder ${path}`),
  ];
}
