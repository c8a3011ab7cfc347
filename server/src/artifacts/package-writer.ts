import type { PackageLimits } from "./package-limits.ts";
import { PackageTree } from "./package-tree.ts";
import { unpackedTooLarge } from "./refusal.ts";
import type { Spool } from "./spool.ts";

/** Where the readers of the formats put what they find: names into the tree, contents into the spool, every byte counted. */
export class PackageWriter {
  readonly limits: PackageLimits;
  readonly tree: PackageTree;
  readonly spool: Spool;

  constructor(limits: PackageLimits, spool: Spool) {
    this.limits = limits;
    this.tree = new PackageTree(limits);
    this.spool = spool;
  }

  addFolder(name: string): void {
    this.tree.addFolder(name);
  }

  /** Refuses as soon as one byte too many has come, whatever the archive claims. Answers how many came. */
  async addFile(
    name: string,
    isExecutable: boolean,
    contents: AsyncIterable<Buffer> | Iterable<Buffer>,
  ): Promise<number> {
    const file = this.tree.addFile(name, isExecutable);
    file.start = this.spool.bytes;
    for await (const chunk of contents) {
      if (this.spool.bytes + chunk.length > this.limits.unpackedBytesMax) {
        throw unpackedTooLarge(name, this.limits);
      }
      await this.spool.append(chunk);
    }
    file.bytes = this.spool.bytes - file.start;
    return file.bytes;
  }

  /** Refuses by what the archive claims, before anything is unpacked. */
  checkClaimedBytes(name: string, bytes: number): void {
    if (this.spool.bytes + bytes > this.limits.unpackedBytesMax) {
      throw unpackedTooLarge(name, this.limits);
    }
  }
}
