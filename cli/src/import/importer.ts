import type { Context, Option, Options, Result } from "../command.ts";

/** Takes one kind of file that `isola import <file>` makes functions of. */
export interface Importer {
  /** What it takes, in words for a message: `an export (*.isola.tar.gz)`. */
  kind: string;
  /** Flags of its own beside those of the command; names are shared by all importers. */
  options?: readonly Option[];
  /** Whether the file is of this kind, by its absolute path and its first 4 KiB (less where the file is shorter). Reads nothing else. */
  recognises(path: string, head: Buffer): boolean;
  /** Everything that the command does; `path` is absolute. */
  run(context: Context, path: string, options: Options): Promise<Result>;
}
