import { existsSync, mkdirSync, openSync } from "node:fs";
import { basename, join, relative } from "node:path";
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
  CPU_WEIGHT,
  type Cgroup,
  type CgroupTree,
  DYING_CPU_WEIGHT,
  wholePages,
} from "./cgroup.ts";

export interface V2Place {
  mountPoint: string;
  /** A folder without processes of its own that hands `controllers` down. */
  parent: string;
  controllers: string[];
}

/** Version 2: one folder per sandbox below a subtree that is ours. */
export class CgroupTreeV2 implements CgroupTree {
  readonly version = "v2";
  readonly controllers: readonly string[];
  readonly #place: V2Place;

  constructor(place: V2Place) {
    this.#place = place;
    this.controllers = place.controllers;
  }

  get parentPath(): string {
    return `/${relative(this.#place.mountPoint, this.#place.parent)}`;
  }

  create(name: string): Cgroup {
    const folder = join(this.#place.parent, name);
    mkdirSync(folder);
    const cgroup = new CgroupV2(folder, this.#place.controllers);
    try {
      cgroup.setWeight();
      return cgroup;
    } catch (error) {
      cgroup.remove();
      throw error;
    }
  }

  async leftovers(isLeftover: (name: string) => boolean) {
    const folders = await findFolders(this.#place.mountPoint, isLeftover);
    return folders.map((folder) => ({
      name: basename(folder),
      cgroup: new CgroupV2(folder, this.#place.controllers),
    }));
  }
}

class CgroupV2 implements Cgroup {
  readonly #folder: string;
  readonly #controllers: string[];

  constructor(folder: string, controllers: string[]) {
    this.#folder = folder;
    this.#controllers = controllers;
  }

  inside(name: string): Cgroup | null {
    const folder = join(this.#folder, name);
    return existsSync(folder) ? new CgroupV2(folder, this.#controllers) : null;
  }

  openEntries(): number[] {
    return [openSync(this.#file("cgroup.procs"), "w")];
  }

  setWeight(): void {
    if (this.#controllers.includes("cpu")) this.#set("cpu.weight", CPU_WEIGHT);
  }

  setLimits({ memoryBytes, pidsMax }: SandboxLimits): void {
    if (this.#controllers.includes("memory")) {
      // A kernel without swap accounting has no such file, and then swap is not in use by groups.
      if (existsSync(this.#file("memory.swap.max"))) this.#set("memory.swap.max", 0);
      this.#set("memory.oom.group", 1);
      this.#set("memory.max", wholePages(memoryBytes));
    }
    if (this.#controllers.includes("pids")) this.#set("pids.max", pidsMax);
  }

  usage(): SandboxUsage {
    const memory = this.#file("memory.current");
    const pids = this.#file("pids.current");
    const peak = this.#file("memory.peak");
    return {
      memoryBytes: this.#controllers.includes("memory") ? readNumber(memory) : null,
      cpuMicros: readKeyed(this.#file("cpu.stat"), "usage_usec"),
      pids: this.#controllers.includes("pids") ? readNumber(pids) : null,
      // Kernels before 5.19 do not have it.
      memoryPeakBytes: existsSync(peak) ? readNumber(peak) : null,
    };
  }

  oomKills(): number {
    if (!this.#controllers.includes("memory")) return 0;
    try {
      return readKeyed(this.#file("memory.events"), "oom_kill");
    } catch (error) {
      if (isGone(error)) return 0;
      throw error;
    }
  }

  hasHitMemoryLimit(): boolean {
    return readKeyed(this.#file("memory.events"), "oom") > 0;
  }

  freeze(): boolean {
    return this.#writeFreeze(1);
  }

  thaw(): void {
    this.#writeFreeze(0);
  }

  frozenState() {
    if (readText(this.#file("cgroup.freeze")) === "0") return "thawed";
    return readKeyed(this.#file("cgroup.events"), "frozen") === 1 ? "frozen" : "freezing";
  }

  killAll(isThorough: boolean): void {
    if (!existsSync(this.#folder)) return;
    if (isThorough && this.#controllers.includes("cpu"))
      write(this.#file("cpu.weight"), DYING_CPU_WEIGHT);
    // Since Linux 5.14 the kernel kills the whole group at once, forks under way included.
    if (existsSync(this.#file("cgroup.kill"))) return write(this.#file("cgroup.kill"), 1);
    if (isThorough) this.freeze();
    for (const pid of pidsBelow(this.#folder)) killPid(pid);
    this.thaw();
  }

  isEmpty(): boolean {
    try {
      return readKeyed(this.#file("cgroup.events"), "populated") === 0;
    } catch (error) {
      if (isGone(error)) return true;
      throw error;
    }
  }

  remove(): void {
    removeFolder(this.#folder);
  }

  /** Kernels before 5.2 have no freezer in version 2. */
  #writeFreeze(value: 0 | 1): boolean {
    if (!existsSync(this.#file("cgroup.freeze"))) return false;
    write(this.#file("cgroup.freeze"), value);
    return true;
  }

  #set(name: string, value: number): void {
    write(this.#file(name), value);
    const actual = readText(this.#file(name));
    if (actual !== String(value)) throw new Error(`${name} is ${actual} after writing ${value}`);
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}
