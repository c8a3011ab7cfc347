/** Programs of a build that are there at once, and a source of Linux that has nothing in it. */
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

const makefile = "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 999\n";
const compiler = `case "$1" in
  -dumpfullversion) echo 12.2.0;;
  -dumpmachine) echo x86_64-linux-gnu;;
esac`;

/** What `make` does of itself: `$O` is where, `$CONFIG` the fragment. */
export interface MakeStandIn {
  configure?: string;
  compile?: string;
}

export interface StandInTools {
  /** Empty. */
  folder: string;
  /** The folder with the programs. */
  programs: string;
  /** A source, as a folder and as an archive. */
  source: string;
  archive: string;
}

/** Puts them first on the path of this process, until the test ends. */
export async function standInTools(
  t: TestContext,
  { configure = 'cp "$CONFIG" "$O/.config"', compile = "compiled" }: MakeStandIn = {},
): Promise<StandInTools> {
  const place = await mkdtemp(join(tmpdir(), "isola-own-kernel-"));
  t.after(() => rm(place, { recursive: true, force: true }));
  const [folder, programs, source] = ["vm", "bin", "linux"].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  for (const each of [folder, programs, source]) await mkdir(each);
  await writeFile(join(source, "Makefile"), makefile);
  const archive = join(place, "linux.tar.gz");
  execFileSync("tar", ["-czf", archive, "-C", place, "linux"]);
  const image = join(place, "image");
  await writeFile(image, bzImage("6.1.999-isola"));
  const make = `for word; do case "$word" in O=*) O=\${word#O=};; KCONFIG_ALLCONFIG=*) CONFIG=\${word#*=};; esac; done
compiled() { for each in $(seq 1 250); do echo "  CC      kernel/$each.o"; done; mkdir -p "$O/arch/x86/boot"; cp ${image} "$O/arch/x86/boot/bzImage"; }
case "$*" in *allnoconfig*) ${configure};; *) ${compile};; esac`;
  const scripts = { make, gcc: compiler };
  for (const name of ["gcc", "make", "ld", "flex", "bison", "bc", "perl", "lz4c", "xz"]) {
    const path = join(programs, name);
    await writeFile(path, `#!/bin/sh\n${scripts[name as keyof typeof scripts] ?? ":"}\n`);
    await chmod(path, 0o755);
  }
  const before = process.env.PATH;
  process.env.PATH = `${programs}:/usr/bin:/bin`;
  t.after(() => {
    process.env.PATH = before;
  });
  return { folder, programs, source, archive };
}

function bzImage(version: string): Buffer {
  const image = Buffer.alloc(20_000);
  image.write("HdrS", 0x202);
  image.writeUInt16LE(0x3000, 0x20e);
  image.write(`${version} (isola@isola)\0`, 0x3200);
  return image;
}
