import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StandInConfig } from "./firecracker-stand-in/config.ts";

export interface StandInPrograms {
  firecracker: string;
  jailer: string;
  remove(): void;
}

const scripts = {
  Firecracker: fileURLToPath(new URL("firecracker-stand-in/main.ts", import.meta.url)),
  Jailer: fileURLToPath(new URL("firecracker-stand-in/jailer.ts", import.meta.url)),
};

/** Firecracker and its jailer as programs of a folder of their own, played by the stand-ins. */
export function standInPrograms(config: Partial<StandInConfig> = {}): StandInPrograms {
  const folder = mkdtempSync(join(tmpdir(), "isola-fc-"));
  const whole: StandInConfig = {
    ...{ version: "1.17.0", qemu: "/usr/bin/qemu-system-x86_64", trouble: null },
    ...config,
  };
  return {
    firecracker: program(folder, "Firecracker", whole),
    jailer: program(folder, "Jailer", whole),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function program(folder: string, name: "Firecracker" | "Jailer", config: StandInConfig): string {
  const path = join(folder, name.toLowerCase());
  const script = scripts[name];
  const words = [process.execPath, script, JSON.stringify(config)].map(quoted).join(" ");
  const says = `${name} v${config.version}`;
  // Asked often, and said without Node.js.
  const version = `[ "$1" = --version ] && { printf '${says}\\n\\n'; exit; }`;
  writeFileSync(path, `#!/bin/sh\n${version}\nexec ${words} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
