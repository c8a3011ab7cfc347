import { existsSync, mkdirSync, openSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import type { SandboxLimits, SandboxUsage } from "../driver.ts";
import {
  findFolders,
  isGone,
  killPid,
  pidsBelow,
  readKeyed,
  readNumber,
  readText,
  removeFolder,
  write,
} from "./cgroup-files.ts";
import {
  CPU_SHARES,
  type Cgroup,
  type CgroupTree,
  DYING_CPU_SHARES,
  wholePages,
} from "./cgroup.ts";

/** The kernel charges memory in batches: what stands at its limit may lack this much. */
const CHARGE_BYTES = 64 * 4096;

/** Where one controller's groups are made. */
export interface V1Hierarchy {
  /** Controllers mounted together here: `["cpu", "cpuacct"]`. */
  controllers: string[];
  mountPoint: string;
  /** The server's own group, below which those of the sandboxes are made. */
  parent: string;
}

/** Version 1: one folder per hierarchy, all of the same name. */
export class CgroupTreeV1 implements CgroupTree {
  readonly version = "v1";
  readonly controllers: readonly string[];
  readonly #hierarchies: V1Hierarchy[];
  readonly #others: readonly string[];

  /** `others`: mount points of hierarchies that are not used here, but where somebody who is given the path of a group makes it as well. */
  constructor(hierarchies: V1Hierarchy[], others: readonly string[] = []) {
    this.#hierarchies = hierarchies;
    this.#others = others;
    this.controllers = hierarchies.flatMap((each) => each.controllers);
  }

  get parentPath(): string | null {
    const paths = this.#hierarchies.map(({ mountPoint, parent }) => relative(mountPoint, parent));
    return new Set(paths).size === 1 ? `/${paths[0]}` : null;
  }

  create(name: string): Cgroup {
    const made: string[] = [];
    try {
      for (const { parent } of this.#hierarchies) {
        const folder = join(parent, name);
        mkdirSync(folder);
        made.push(folder);
      }
      const cgroup = new CgroupV1(this.#folders(made), this.#othersOf(name));
      cgroup.setWeight();
      return cgroup;
    } catch (error) {
      for (const folder of made) removeFolder(folder);
      throw error;
    }
  }

  async leftovers(isLeftover: (name: string) => boolean) {
    const folders = new Map<string, Folders>();
    for (const { mountPoint, controllers } of this.#hierarchies) {
      for (const folder of await findFolders(mountPoint, isLeftover)) {
        const all = folders.get(basename(folder)) ?? new Map<string, string>();
        folders.set(basename(folder), all);
        for (const controller of controllers) all.set(controller, folder);
      }
    }
    for (const mountPoint of this.#others)
      for (const folder of await findFolders(mountPoint, isLeftover))
        if (!folders.has(basename(folder))) folders.set(basename(folder), new Map());
    return [...folders].map(([name, each]) => ({
      name,
      cgroup: new CgroupV1(each, this.#othersOf(name)),
    }));
  }

  #othersOf(name: string): string[] {
    return this.#others.map((mountPoint) => join(mountPoint, name));
  }

  #folders(made: string[]): Folders {
    return new Map(
      this.#hierarchies.flatMap(({ controllers }, at) =>
        controllers.map((controller) => [controller, made[at] as string] as const),
      ),
    );
  }
}

type Folders = Map<string, string>;

class CgroupV1 implements Cgroup {
  /** By controller; controllers mounted together share a folder. */
  readonly #folders: Folders;
  readonly #unique: string[];
  /** Of no use but to be removed; they need not be there. */
  readonly #others: readonly string[];

  constructor(folders: Folders, others: readonly string[] = []) {
    this.#folders = folders;
    this.#unique = [...new Set(folders.values())];
    this.#others = others;
  }

  inside(name: string): Cgroup | null {
    const folders = [...this.#folders].map(
      ([controller, folder]) => [controller, join(folder, name)] as const,
    );
    return folders.every(([, folder]) => existsSync(folder))
      ? new CgroupV1(new Map(folders))
      : null;
  }

  /** `tasks`, not `cgroup.procs`: one thread that moves itself need not wait for a grace period of the kernel, which takes 10 ms. */
  openEntries(): number[] {
    return this.#unique.map((folder) => openSync(join(folder, "tasks"), "w"));
  }

  setWeight(): void {
    if (!this.#folders.has("cpu")) return;
    const file = this.#file("cpu", "cpu.shares");
    write(file, CPU_SHARES);
    expect(file, CPU_SHARES);
  }

  setLimits({ memoryBytes, pidsMax }: SandboxLimits): void {
    this.#setMemory(wholePages(memoryBytes));
    const pidsFile = this.#file("pids", "pids.max");
    write(pidsFile, pidsMax);
    expect(pidsFile, pidsMax);
  }

  /** Memory with swap may never be below memory, so the order of the two writes depends on the direction. */
  #setMemory(bytes: number): void {
    const memory = this.#file("memory", "memory.limit_in_bytes");
    const withSwap = this.#file("memory", "memory.memsw.limit_in_bytes");
    const hasSwapLimit = existsSync(withSwap);
    const order = bytes > readNumber(memory) ? [withSwap, memory] : [memory, withSwap];
    for (const file of order) if (file === memory || hasSwapLimit) write(file, bytes);
    if (!hasSwapLimit) write(this.#file("memory", "memory.swappiness"), 0);
    expect(memory, bytes);
    if (hasSwapLimit) expect(withSwap, bytes);
  }

  usage(): SandboxUsage {
    const hasCpu = this.#folders.has("cpuacct");
    return {
      memoryBytes: readNumber(this.#file("memory", "memory.usage_in_bytes")),
      cpuMicros: hasCpu
        ? Math.round(readNumber(this.#file("cpuacct", "cpuacct.usage")) / 1000)
        : null,
      pids: readNumber(this.#file("pids", "pids.current")),
      memoryPeakBytes: readNumber(this.#file("memory", "memory.max_usage_in_bytes")),
    };
  }

  oomKills(): number {
    try {
      return readKeyed(this.#file("memory", "memory.oom_control"), "oom_kill");
    } catch (error) {
      if (isGone(error)) return 0;
      throw error;
    }
  }

  hasHitMemoryLimit(): boolean {
    const read = (name: string) => readNumber(this.#file("memory", `memory.${name}`));
    const roomBytes = read("limit_in_bytes") - read("max_usage_in_bytes");
    return read("failcnt") > 0 && roomBytes <= CHARGE_BYTES;
  }

  freeze(): boolean {
    if (!this.#folders.has("freezer")) return false;
    writeIfThere(this.#freezerState, "FROZEN");
    return true;
  }

  thaw(): void {
    if (this.#folders.has("freezer")) writeIfThere(this.#freezerState, "THAWED");
  }

  frozenState() {
    const state = readText(this.#freezerState);
    if (state === "FROZEN") return "frozen";
    return state === "FREEZING" ? "freezing" : "thawed";
  }

  /** In version 1 a signal does not end what is frozen: it has to be thawed. */
  killAll(isThorough: boolean): void {
    if (isThorough) {
      if (this.#folders.has("cpu")) writeIfThere(this.#file("cpu", "cpu.shares"), DYING_CPU_SHARES);
      this.freeze();
    }
    for (const folder of this.#unique) for (const pid of pidsBelow(folder)) killPid(pid);
    this.thaw();
  }

  isEmpty(): boolean {
    return this.#unique.every((folder) => pidsBelow(folder).length === 0);
  }

  remove(): void {
    for (const folder of [...this.#unique, ...this.#others]) removeFolder(folder);
  }

  get #freezerState(): string {
    return this.#file("freezer", "freezer.state");
  }

  #file(controller: string, name: string): string {
    return join(this.#folders.get(controller) ?? "/nonexistent", name);
  }
}

function writeIfThere(file: string, value: string | number): void {
  if (existsSync(dirname(file))) write(file, value);
}

function expect(file: string, value: number): void {
  const actual = readNumber(file);
  if (actual !== value) throw new Error(`${basename(file)} is ${actual} after writing ${value}`);
}
