import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { LIBRARY_FOLDER, sharedLibraries } from "../shared-libraries.ts";
import type { GuestRuntime } from "./guest-runtime.ts";

/** What compiled modules and addons that come with a function's code expect of any machine (PEP 599), beside what the interpreter is linked to. */
const common = [
  ...[
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "librt.so.1",
    "libpthread.so.0",
    "libutil.so.1",
    "libresolv.so.2",
  ],
  ...[
    "libnsl.so.1",
    "libanl.so.1",
    "libnss_files.so.2",
    "libnss_dns.so.2",
    "libgcc_s.so.1",
    "libstdc++.so.6",
  ],
  ...["libatomic.so.1", "libz.so.1"],
];

/** A folder that holds nothing but libraries: of a whole machine there are a thousand, most of them no business of a function. */
export function isLibraryFolder(path: string): boolean {
  return LIBRARY_FOLDER.test(path);
}

/** Host paths of the libraries that an image of the runtime has in place of whole folders of them. */
export async function guestLibraries({ executable, needs }: GuestRuntime): Promise<string[]> {
  const modules = needs.filter((path) => !isLibraryFolder(path)).flatMap(modulesIn);
  const linked = await sharedLibraries([executable, ...new Set(modules)]);
  const folders = needs.filter(isLibraryFolder);
  const further = folders.flatMap((folder) => common.map((name) => join(folder, name)));
  return [
    ...linked.filter((path) => !isLibraryFolder(path)),
    ...further.filter((path) => existsSync(path)),
  ];
}

/** Compiled modules of an interpreter's own. */
function modulesIn(folder: string): string[] {
  if (!existsSync(join(folder, "lib-dynload"))) return [];
  const names = readdirSync(join(folder, "lib-dynload"));
  return names
    .filter((name) => name.endsWith(".so"))
    .map((name) => join(folder, "lib-dynload", name));
}
