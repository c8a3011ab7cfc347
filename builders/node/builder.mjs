// Runs in a build sandbox, as a function does: installs what the package beside it needs, bundles it where that is asked for, and answers
// with a tar of what is to be added. What it cannot do it answers as JSON with status 422.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";
import { BuildFailure } from "./failure.mjs";
import { install } from "./install.mjs";
import { startRelay } from "./relay.mjs";
import { filesBelow, tarOf } from "./tar.mjs";

const here = dirname(fileURLToPath(import.meta.url));

/**
 * What is to be done: `build.json` beside this file.
 * @typedef {object} Order
 * @property {boolean} install whether there is a lockfile to install from
 * @property {boolean} scripts whether code of the dependencies may run
 * @property {string | null} bundle the handler's file without its extension
 * @property {string | null} registry of npm; null: npm's own
 * @property {number} bytesMax @property {number} entriesMax of the result
 */

export default {
  async fetch() {
    try {
      return await build();
    } catch (error) {
      if (!(error instanceof BuildFailure)) throw error;
      return Response.json({ message: error.message, output: error.output }, { status: 422 });
    }
  },
};

async function build() {
  /** @type {Order} */
  const order = JSON.parse(readFileSync(join(here, "build.json"), "utf8"));
  const base = join(tmpdir(), "build");
  const folder = join(base, "package");
  copyPackage(join(here, "input"), folder);
  const places = placesOf(process.env.ISOLA_BUILD_PLACES);
  if (order.install) {
    const relay = await startRelay(places("socket"));
    try {
      const certificates = join(here, "ca.pem");
      await install({
        base,
        folder,
        order,
        npm: places("tools/npm"),
        port: relay.port,
        certificates,
      });
    } finally {
      relay.close();
    }
  }
  const files =
    order.bundle === null
      ? filesBelow(folder, ["node_modules"])
      : await bundle({ base, folder, entry: order.bundle, esbuild: places("tools/esbuild") });
  refuseTooMuch(files, order);
  return new Response(streamOf(tarOf(files)), { headers: { "content-type": "application/x-tar" } });
}

/** Where a tool is: inside a sandbox with a view of its own, or as the host has it. @param {string | undefined} text */
function placesOf(text) {
  const places = /** @type {Record<string, string[]>} */ (JSON.parse(text ?? "{}"));
  return (/** @type {string} */ name) => {
    const found = places[name]?.find((path) => existsSync(path));
    if (found === undefined) throw new BuildFailure(`${name} is missing in the build sandbox`);
    return found;
  };
}

/** Code is read-only where it was unpacked. @param {string} from @param {string} to */
function copyPackage(from, to) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyPackage(source, target);
    else {
      copyFileSync(source, target);
      chmodSync(target, (statSync(source).mode & 0o111) === 0 ? 0o644 : 0o755);
    }
  }
}

/** @param {import("./tar.mjs").TarFile[]} files @param {Order} order */
function refuseTooMuch(files, { bytesMax, entriesMax }) {
  if (files.length === 0) throw new BuildFailure("nothing was installed");
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (files.length <= entriesMax && bytes <= bytesMax) return;
  throw new BuildFailure(
    `the result has ${files.length} files and folders with ${bytes} bytes; at most ${entriesMax} with ${bytesMax} bytes are taken`,
  );
}

/** @param {AsyncGenerator<Uint8Array>} chunks @returns {ReadableStream<Uint8Array>} */
function streamOf(chunks) {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}
