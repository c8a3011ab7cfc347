import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** Looks where system programs are; the server's own PATH is not asked, as it may lead anywhere. */
export function findProgram(name: string): string | null {
  for (const folder of ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"]) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // not in this folder
    }
  }
  return null;
}
