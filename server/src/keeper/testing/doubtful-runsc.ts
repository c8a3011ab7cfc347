import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StreamListener, dialler } from "../streams.ts";
import { findCgroups } from "../../drivers/cgroups/find-cgroups.ts";
import { findMarked } from "../../drivers/cgroups/process-table.ts";
import { Session, TMP_BYTES, defaultLimits } from "../../drivers/conformance/session.ts";
import type { RuntimeSpec, Sandbox } from "../../drivers/driver.ts";
import { findProgram } from "../../drivers/find-program.ts";
import { StandaloneDriver } from "../../drivers/gvisor/standalone/standalone-driver.ts";

/** What the program does instead of its work: with a sandbox, not with one that is tried. */
export type Misdeed =
  | "none"
  | "cannot checkpoint"
  | "cannot restore"
  | "cannot restore at all"
  | "hangs at checkpoint"
  | "hangs at restore";

interface More {
  isAhead?: true;
  signal?: AbortSignal;
}

/** One life of a driver after the other, all in one process that nobody keeps, with a program before `runsc` that may misbehave. */
export interface DoubtfulStand {
  nodeId: string;
  problems: string[];
  snapshotsFolder: string;
  driver(bootId: string, more?: { snapshotsMiBMax?: number }): Promise<StandaloneDriver>;
  start(driver: StandaloneDriver, runtime: RuntimeSpec, more?: More): Promise<Session>;
  misbehave(misdeed: Misdeed): void;
  /** What it was asked for with sandboxes, in order: `run`, `checkpoint`, `restore`. */
  deeds(): string[];
  snapshots(): string[];
  /** Processes, groups and folders of the node that are there now. */
  leftovers(): Promise<string[]>;
  close(): void;
}

let count = 0;

/** Images are kept below the folder, so that others who use it need not make them. */
export async function doubtfulStand(
  folder: string,
  nodeId = `test-${process.pid}-${randomBytes(4).toString("hex")}`,
): Promise<DoubtfulStand> {
  const own = join(folder, nodeId);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const program = join(own, "runsc");
  writeFileSync(program, script(own));
  chmodSync(program, 0o755);
  const file = (name: string) => join(own, name);
  const misbehave = (misdeed: Misdeed) => writeFileSync(file("misdeed"), misdeed);
  misbehave("none");
  const listener = new StreamListener(file(`streams-${process.pid}`));
  await listener.listen();
  const ends = {
    dial: dialler(listener.path),
    listen: () => Promise.reject(new Error("nobody listens")),
  };
  const problems: string[] = [];
  const keptDir = join(folder, "kept");
  const snapshotsFolder = join(keptDir, "snapshots");
  const stateDir = file("state");
  return {
    ...{ nodeId, problems, snapshotsFolder, misbehave },
    async driver(bootId, { snapshotsMiBMax = 100 } = {}) {
      return new StandaloneDriver({
        ...{ nodeId, bootId, stateDir, keptDir, snapshotsMiBMax, runsc: program, platform: "auto" },
        log: { warn: (_, text) => problems.push(text) },
      });
    },
    async start(driver, runtime, { isAhead, signal = AbortSignal.timeout(60_000) } = {}) {
      count += 1;
      const id = `sb-${process.pid}-${count}`;
      const expected = listener.expect(id);
      const spec = {
        id,
        runtime,
        limits: defaultLimits,
        tmpBytes: TMP_BYTES,
        ...(isAhead && { isAhead }),
      };
      try {
        const handle = await driver.start(spec, ends, signal);
        return new Session(Object.assign(handle, await expected.streams) as Sandbox);
      } finally {
        expected.giveUp();
      }
    },
    deeds: () => namesIn(readIfThere(file("deeds"))),
    snapshots: () => listIfThere(snapshotsFolder),
    leftovers: async () => {
      const isOurs = (text: string) => text.startsWith(`isola.${nodeId}.`);
      const groups = (await findCgroups().tree?.leftovers(isOurs)) ?? [];
      return [
        ...groups.map(({ name }) => `cgroup ${name}`),
        ...(await findMarked(isOurs)).map(({ mark }) => `process ${mark}`),
        ...listIfThere(join(stateDir, "gvisor")).map((name) => `folder ${name}`),
        ...listIfThere(snapshotsFolder)
          .filter((name) => name.startsWith("making-"))
          .map((name) => `snapshot ${name}`),
      ];
    },
    close: () => listener.close(),
  };
}

/** The last argument is the sandbox, those that are tried have `try` in their name. */
function script(folder: string): string {
  return `#!/bin/sh
misdeed=$(cat ${folder}/misdeed)
for word in "$@"; do
  case $word in run | checkpoint | restore) deed=$word ;; esac
done
case $word in
  *.runsc-try-*) tried=yes ;;
  *) [ -z "$deed" ] || echo "$deed" >>${folder}/deeds ;;
esac
case "$misdeed,$deed,$tried" in
  "cannot restore at all,restore,"* | "cannot $deed,$deed,") echo "no use" >&2; exit 128 ;;
  "hangs at $deed,$deed,") sleep 1000 & wait ;;
esac
exec ${findProgram("runsc")} "$@"
`;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function namesIn(text: string): string[] {
  return text.split("\n").filter(Boolean);
}

function listIfThere(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
