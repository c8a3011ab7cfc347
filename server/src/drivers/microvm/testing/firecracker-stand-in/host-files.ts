import { closeSync, openSync, readSync, statSync } from "node:fs";
import { Fault } from "./body.ts";

const words: Record<string, string> = {
  ENOENT: "No such file or directory (os error 2)",
  EACCES: "Permission denied (os error 13)",
  EADDRINUSE: "Address already in use (os error 98)",
};

/** As Rust says it. */
export function ioText(error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return words[code] ?? message;
}

/** Why the user cannot read a file; null: he can. The stand-in is root where Firecracker is the jail's user, so it looks at the file's mode. */
export function checkReadable(path: string, user: number | null): string | null {
  try {
    const { mode, uid } = statSync(path);
    const isReadable = user === null || (mode & (uid === user ? 0o400 : 0o004)) !== 0;
    return isReadable ? null : (words.EACCES as string);
  } catch (error) {
    return ioText(error);
  }
}

/** An ELF file, or a bzImage from 1.17 on. */
export function checkKernel(path: string, version: string): void {
  const head = Buffer.alloc(0x206);
  const file = openSync(path, "r");
  readSync(file, head);
  closeSync(file);
  const isElf = head.toString("latin1", 0, 4) === "\x7fELF";
  const isBzImage = head.toString("latin1", 0x202, 0x206) === "HdrS";
  const isOld = version.startsWith("1.16.");
  if (isElf || (isBzImage && !isOld)) return;
  const kind = isOld
    ? "failed to load ELF kernel image"
    : "failed to load bzImage kernel image: Kernel Loader: Invalid bzImage";
  throw new Fault(
    `Start microvm error: System configuration error: Cannot load kernel due to invalid memory configuration or invalid kernel image: Kernel Loader: ${kind}`,
  );
}
